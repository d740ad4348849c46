/**
 * Warnings about peers that speak another wire, transport or TLS mode: one line each, not one per attempt.
 *
 * @module
 */
import type { Logger } from "../../log/types.ts";
import type { Clock, Timer } from "../../runtime/types.ts";
import type { Source, Sources } from "./sources.ts";

/** How long the same warning about the same source is not repeated. */
export const FOREIGN_REPEAT_MS = 600_000;
/** How long a warning is held back: a client that does not know the TLS mode tries several at once. */
export const FOREIGN_DELAY_MS = 2_000;
const MAX_REMEMBERED = 1_024;

/** Says which parameter to set when another protocol arrives. */
export class ForeignReports {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #sources: Sources;
  /** When each warning was last given, the oldest first. */
  readonly #said = new Map<string, number>();
  readonly #held = new Map<() => void, Timer>();

  constructor(clock: Clock, logger: Logger, sources: Sources) {
    this.#clock = clock;
    this.#logger = logger;
    this.#sources = sources;
  }

  /**
   * Warns, unless the source proves within moments that it found the right mode by itself.
   *
   * @param message what arrived and which parameter to set
   * @param remote address for the line
   */
  add(source: Source, message: string, remote: string): void {
    if (this.#repeats(`${source.key} ${message}`)) return;
    const say = (): void => this.#logger.warn(message, { remote });
    if (source.standing !== "stranger") {
      say();
      return;
    }
    const timer = this.#clock.after(FOREIGN_DELAY_MS, () => {
      this.#held.delete(say);
      if (!this.#sources.isVouched(source.key)) say();
    });
    this.#held.set(say, timer);
  }

  /** Gives the warnings that are held back. */
  close(): void {
    for (const [say, timer] of this.#held) {
      timer.cancel();
      say();
    }
    this.#held.clear();
  }

  /** Whether this was said lately; remembers it if not. At most {@linkcode MAX_REMEMBERED}, timers included. */
  #repeats(key: string): boolean {
    const now = this.#clock.now();
    const last = this.#said.get(key);
    if (last !== undefined && now - last < FOREIGN_REPEAT_MS) return true;
    this.#said.delete(key);
    this.#said.set(key, now);
    if (this.#said.size <= MAX_REMEMBERED) return false;
    for (const oldest of this.#said.keys()) {
      this.#said.delete(oldest);
      break;
    }
    return this.#held.size >= MAX_REMEMBERED;
  }
}
