/**
 * Which link counters were used, for several threads at once.
 *
 * @module
 */
import { COUNTER_WINDOW } from "./counter_window.ts";

/** Memory of one window. */
export function counterMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * COUNTER_WINDOW);
}

/**
 * Accepts each counter once over all threads that share the memory. The counters that leave the same rest share a cell,
 * which holds the round of the newest one: an older one is refused for good.
 */
export class SharedCounterWindow {
  readonly #rounds: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#rounds = new Int32Array(memory);
  }

  /** True the first time; call it only for a preface whose MAC verified. */
  accept(counter: number): boolean {
    if (!Number.isSafeInteger(counter) || counter < 0) return false;
    const cell = counter % COUNTER_WINDOW;
    const round = Math.floor(counter / COUNTER_WINDOW) + 1;
    if (round > 0x7fffffff) return false;
    for (;;) {
      const newest = Atomics.load(this.#rounds, cell);
      if (round <= newest) return false;
      if (Atomics.compareExchange(this.#rounds, cell, newest, round) === newest) return true;
    }
  }
}
