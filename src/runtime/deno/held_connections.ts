/**
 * Connections that were closed before their TLS handshake ended.
 *
 * Deno frees such a socket only when the handshake is over, however late the other side ends it.
 *
 * @module
 */

/** How many connections one holder may have. */
export const heldLimit = 64;

/** Counts them; `changed` runs after each change. */
export class HeldConnections {
  readonly #changed: () => void;
  #count = 0;

  constructor(changed: () => void = () => {}) {
    this.#changed = changed;
  }

  get count(): number {
    return this.#count;
  }

  /** Runs `free` once the handshake is over. */
  hold(handshake: Promise<unknown>, free: () => void): void {
    this.#count++;
    this.#changed();
    const over = (): void => {
      this.#count--;
      free();
      this.#changed();
    };
    handshake.then(over, over);
  }
}
