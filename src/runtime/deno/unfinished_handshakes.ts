/**
 * Native TLS handshakes that have not ended.
 *
 * Deno frees such a socket only when the handshake is over, however late the other side ends it: closing it earlier has
 * no effect. Whoever opens them stays below a bound, by leaving native TLS for a while.
 *
 * @module
 */

/** How many one owner may have before it leaves native TLS. */
export const unfinishedLimit = 64;

/** Counts them; `changed` runs after each change. */
export class UnfinishedHandshakes {
  readonly #changed: () => void;
  #count = 0;

  constructor(changed: () => void = () => {}) {
    this.#changed = changed;
  }

  get count(): number {
    return this.#count;
  }

  /** Counts a handshake until it settles. */
  add(handshake: Promise<unknown>): void {
    this.#count++;
    this.#changed();
    const over = (): void => {
      this.#count--;
      this.#changed();
    };
    handshake.then(over, over);
  }
}
