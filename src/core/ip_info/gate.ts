/**
 * When a provider may be asked: its own windows, pauses after failures, and a long one after many.
 *
 * @module
 */
import type { Clock } from "../../runtime/types.ts";
import type { Database } from "../store/database.ts";
import type { IpInfoProvider } from "./types.ts";

/** Failures in a row after which it is left alone for `OPEN_MS`. */
const MOST_FAILURES = 5;
const OPEN_MS = 600_000;
const PAUSE_MS = 1_000;
/** No window is longer: what ends later was noted under a clock that was wrong. */
const LONGEST_MS = 86_400_000;

/** The gate of one provider. Its closing time is in the database, for other replicas and the time after a restart. */
export class Gate {
  readonly #provider: IpInfoProvider;
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #key: string;
  #failures = 0;
  #closedUntil = 0;
  #written = 0;

  /** Open, until `load` says otherwise. */
  constructor(provider: IpInfoProvider, db: Database, clock: Clock) {
    this.#provider = provider;
    this.#db = db;
    this.#clock = clock;
    this.#key = `ip_info.${provider.name}.closed_until`;
  }

  /** Whether it is left alone because of its failures. */
  get broken(): boolean {
    return this.#failures >= MOST_FAILURES && this.waitMs() > 0;
  }

  /** Reads what another replica, or this one before its restart, was told. */
  async load(): Promise<void> {
    const [row] = await this.#db.query("SELECT value FROM core_values WHERE key = $1", [this.#key]);
    const until = Number(row?.value ?? 0);
    this.#written = until;
    this.#closedUntil = Math.max(until, this.#closedUntil);
  }

  /** How long it must not be asked. */
  waitMs(): number {
    const wait = Math.max(this.#closedUntil, this.#provider.nextAllowedAt()) - this.#clock.wall();
    return wait > LONGEST_MS ? 0 : Math.max(0, wait);
  }

  /** It was asked. */
  async note(failed: boolean): Promise<void> {
    const now = this.#clock.wall();
    this.#failures = failed ? this.#failures + 1 : 0;
    if (this.#failures >= MOST_FAILURES) this.#closedUntil = now + OPEN_MS;
    else if (failed) this.#closedUntil = now + PAUSE_MS * 2 ** this.#failures;
    const until = Math.ceil(Math.max(this.#closedUntil, this.#provider.nextAllowedAt()));
    if (until <= now || until === this.#written) return;
    await this.#db.exec(
      "INSERT INTO core_values (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      [this.#key, String(until)],
    );
    this.#written = until;
  }
}
