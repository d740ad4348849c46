/**
 * The `slot` limit of all workers together.
 *
 * @module
 */

/** The first cell counts all sessions, the others those of each worker: what a crashed one held can be given back. */
const TOTAL = 0;

/** Memory for `workers` workers. */
export function slotMemory(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * (1 + workers));
}

/** Counts sessions of one worker against the limit of all. */
export class SharedSlots {
  readonly #cells: Int32Array;
  readonly #own: number;
  readonly #limit: number;

  /** @param limit sessions at once, more than 0 */
  constructor(memory: SharedArrayBuffer, worker: number, limit: number) {
    this.#cells = new Int32Array(memory);
    this.#own = 1 + worker;
    this.#limit = limit;
  }

  get full(): boolean {
    return Atomics.load(this.#cells, TOTAL) >= this.#limit;
  }

  /** Takes a slot; false when none is free. */
  take(): boolean {
    for (;;) {
      const used = Atomics.load(this.#cells, TOTAL);
      if (used >= this.#limit) return false;
      if (Atomics.compareExchange(this.#cells, TOTAL, used, used + 1) !== used) continue;
      Atomics.add(this.#cells, this.#own, 1);
      return true;
    }
  }

  give(): void {
    Atomics.sub(this.#cells, this.#own, 1);
    Atomics.sub(this.#cells, TOTAL, 1);
  }
}

/** Gives back what a worker held that runs no more. */
export function freeSlots(memory: SharedArrayBuffer, worker: number): void {
  const cells = new Int32Array(memory);
  Atomics.sub(cells, TOTAL, Atomics.exchange(cells, 1 + worker, 0));
}
