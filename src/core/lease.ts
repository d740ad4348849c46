/**
 * A row that says which replica does something now, and when it was done last.
 *
 * @module
 */
import type { Clock } from "../runtime/types.ts";
import { type Database, num } from "./store/database.ts";

/** A replica that does not renew is taken for dead. */
const LEASE_MS = 60_000;
const RENEW_MS = 20_000;

/** One lease. Replicas compare times of the database's rows with their own clocks, which may differ by seconds. */
export class Lease {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #holder: string;

  /** A lease that nobody holds yet. */
  constructor(db: Database, clock: Clock, name: string, holder: string) {
    this.#db = db;
    this.#clock = clock;
    this.#name = name;
    this.#holder = holder;
  }

  /**
   * Runs `run` while it holds the lease; not at all when another replica holds it, or the last run was less than
   * `pauseMs` ago.
   */
  async hold(pauseMs: number, ending: AbortSignal, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (!await this.#take(pauseMs)) return;
    const lost = new AbortController();
    const stop = (): void => lost.abort();
    ending.addEventListener("abort", stop, { once: true });
    let renewedAt = this.#clock.now();
    const timer = this.#clock.every(RENEW_MS, () => {
      this.#renew().then((held) => {
        if (held) renewedAt = this.#clock.now();
        else stop();
      }, () => {
        // The database may be back before the lease is over.
        if (this.#clock.now() - renewedAt > LEASE_MS - RENEW_MS) stop();
      });
    });
    let done = false;
    try {
      await run(lost.signal);
      done = !lost.signal.aborted;
    } finally {
      timer.cancel();
      ending.removeEventListener("abort", stop);
      await this.#release(done);
    }
  }

  async #take(pauseMs: number): Promise<boolean> {
    const now = this.#clock.wall();
    const taken = await this.#db.query(
      `INSERT INTO leases (name, holder, expires_at) VALUES ($1, $2, $3)
       ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
       WHERE leases.expires_at <= $4 AND (leases.last_run_at IS NULL OR leases.last_run_at <= $5)
       RETURNING 1 AS taken`,
      [this.#name, this.#holder, now + LEASE_MS, now, Math.floor(now - pauseMs)],
    );
    return taken.length > 0 && num(taken[0]?.taken) === 1;
  }

  async #renew(): Promise<boolean> {
    const changed = await this.#db.exec(
      "UPDATE leases SET expires_at = $3 WHERE name = $1 AND holder = $2 AND expires_at > $4",
      [this.#name, this.#holder, this.#clock.wall() + LEASE_MS, this.#clock.wall()],
    );
    return changed === 1;
  }

  /** Only a run that came to its end counts as one: others are tried again at the next look. */
  async #release(done: boolean): Promise<void> {
    const now = this.#clock.wall();
    await this.#db.exec(
      `UPDATE leases SET expires_at = $3, last_run_at = CASE WHEN $4 = 1 THEN $3 ELSE last_run_at END
       WHERE name = $1 AND holder = $2`,
      [this.#name, this.#holder, now, done ? 1 : 0],
    );
  }
}
