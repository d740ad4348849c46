/**
 * How long an instance that failed waits for its next run.
 *
 * @module
 */
import type { Random } from "../../runtime/types.ts";

const FIRST_MS = 500;
const LONGEST_MS = 60_000;

/** Doubles with each failure in a row, up to a minute; half of it is chance, so that many do not come back together. */
export class Backoff {
  readonly #random: Random;
  readonly #longestMs: number;
  #failures = 0;

  /** @param longestMs no wait is longer than this either */
  constructor(random: Random, longestMs: number) {
    this.#random = random;
    this.#longestMs = Math.min(LONGEST_MS, longestMs);
  }

  /** The wait after one more failure. */
  next(): number {
    const full = Math.min(this.#longestMs, FIRST_MS * 2 ** Math.min(this.#failures++, 16));
    return Math.round(full / 2 + this.#random.fraction() * full / 2);
  }

  /** It ran well, or somebody has changed something. */
  reset(): void {
    this.#failures = 0;
  }
}
