/**
 * How often a source may try something within a while.
 *
 * @module
 */

/** Sources that are remembered at once. */
const SOURCES = 10_000;

/** What is allowed. */
export interface AttemptLimits {
  /** Attempts of one source within one window. */
  readonly attempts: number;
  readonly windowMs: number;
  /** How long a source waits that tried more often. @default until its window ends */
  readonly pauseMs?: number;
}

interface Window {
  attempts: number;
  endsAt: number;
}

/** Counts attempts by source. */
export class Attempts {
  readonly #limits: AttemptLimits;
  readonly #now: () => number;
  /** By source; about the one that ends first at the front. */
  readonly #windows = new Map<string, Window>();

  /** @param now milliseconds of a clock that never jumps */
  constructor(limits: AttemptLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Counts one more; milliseconds to wait where it was one too many, 0 where it was not. */
  count(source: string): number {
    const now = this.#now();
    for (const [name, { endsAt }] of this.#windows) {
      if (endsAt > now && this.#windows.size < SOURCES) break;
      this.#windows.delete(name);
    }
    const { attempts, windowMs, pauseMs } = this.#limits;
    let window = this.#windows.get(source);
    if (window === undefined || window.endsAt <= now) {
      // A window that is replaced goes to the end.
      this.#windows.delete(source);
      window = { attempts: 0, endsAt: now + windowMs };
      this.#windows.set(source, window);
    }
    window.attempts++;
    if (window.attempts <= attempts) return 0;
    if (window.attempts === attempts + 1 && pauseMs !== undefined) {
      window.endsAt = now + pauseMs;
      this.#windows.delete(source);
      this.#windows.set(source, window);
    }
    return window.endsAt - now;
  }
}
