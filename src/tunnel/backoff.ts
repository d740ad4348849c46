/**
 * Waiting times between attempts: at once first, then doubling with jitter.
 *
 * @module
 */
import type { Random } from "../runtime/types.ts";

/** Waiting times in ms. */
export class Backoff {
  readonly #random: Random;
  readonly #firstMs: number;
  readonly #capMs: number;
  #attempt = 0;

  /** @param capMs no wait is longer */
  constructor(random: Random, firstMs: number, capMs: number) {
    this.#random = random;
    this.#firstMs = firstMs;
    this.#capMs = capMs;
  }

  /** The wait before the next attempt: 0 at first, later between half and all of the doubled time. */
  next(): number {
    const attempt = this.#attempt++;
    if (attempt === 0) return 0;
    const full = Math.min(this.#capMs, this.#firstMs * 2 ** Math.min(attempt - 1, 16));
    return Math.round(full / 2 + this.#random.fraction() * full / 2);
  }

  /** After a success. */
  reset(): void {
    this.#attempt = 0;
  }
}
