/**
 * How many links of one client each worker has: written by each, read by the one that asks the client for more.
 *
 * @module
 */

/** Memory for `workers` workers. */
export function boardMemory(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * 4 * workers);
}

/** Two rows of numbers: ready links for sessions, and links for datagrams. */
export class LinkBoard {
  readonly memory: SharedArrayBuffer;
  readonly #ready: Int32Array;
  readonly #datagrams: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    const half = memory.byteLength / 2;
    this.#ready = new Int32Array(memory, 0, half / 4);
    this.#datagrams = new Int32Array(memory, half, half / 4);
  }

  write(worker: number, ready: number, datagrams: number): void {
    Atomics.store(this.#ready, worker, ready);
    Atomics.store(this.#datagrams, worker, datagrams);
  }

  readyAt(worker: number): number {
    return Atomics.load(this.#ready, worker);
  }

  datagramsAt(worker: number): number {
    return Atomics.load(this.#datagrams, worker);
  }

  get ready(): number {
    return this.#ready.reduce((sum, _, worker) => sum + this.readyAt(worker), 0);
  }

  get datagrams(): number {
    return this.#datagrams.reduce((sum, _, worker) => sum + this.datagramsAt(worker), 0);
  }

  /** The worker with the most ready links. */
  get richest(): number {
    let best = 0;
    for (let worker = 1; worker < this.#ready.length; worker++) {
      if (this.readyAt(worker) > this.readyAt(best)) best = worker;
    }
    return best;
  }
}
