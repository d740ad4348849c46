/**
 * Which link counters were used: a sliding window, because links open in parallel and arrive in any order.
 *
 * @module
 */

/** How far a counter may lag behind the highest one. */
export const COUNTER_WINDOW = 4_096;

/** Accepts each counter once; forgets nothing that it could still accept. */
export class CounterWindow {
  readonly #used = new Uint8Array(COUNTER_WINDOW);
  #highest = -1;

  /** True the first time for a counter that is above `highest - 4096`; call it only for a preface whose MAC verified. */
  accept(counter: number): boolean {
    if (!Number.isSafeInteger(counter) || counter < 0) return false;
    if (counter > this.#highest) {
      this.#slide(counter);
    } else if (counter <= this.#highest - COUNTER_WINDOW || this.#used[counter % COUNTER_WINDOW] === 1) {
      return false;
    }
    this.#used[counter % COUNTER_WINDOW] = 1;
    return true;
  }

  #slide(highest: number): void {
    if (highest - this.#highest >= COUNTER_WINDOW) {
      this.#used.fill(0);
    } else {
      for (let at = this.#highest + 1; at <= highest; at++) this.#used[at % COUNTER_WINDOW] = 0;
    }
    this.#highest = highest;
  }
}
