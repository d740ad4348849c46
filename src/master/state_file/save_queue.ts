/**
 * One write at a time; what is asked for meanwhile shares the next one.
 *
 * @module
 */
import type { MasterState } from "./types.ts";

/** Puts a state on the disk. */
export type WriteState = (state: MasterState, sync: boolean) => Promise<void>;

interface Batch {
  state: MasterState;
  sync: boolean;
  readonly written: PromiseWithResolvers<void>;
}

/** Saves in order. */
export class SaveQueue {
  readonly #write: WriteState;
  #next: Batch | null = null;
  #working: Promise<void> | null = null;

  constructor(write: WriteState) {
    this.#write = write;
  }

  /**
   * Resolves once `state` or a later one was written. A write with `sync` that fails takes what waits behind it with it:
   * those states were made out of the one that failed.
   */
  save(state: MasterState, sync: boolean): Promise<void> {
    if (this.#next === null) this.#next = { state, sync, written: Promise.withResolvers() };
    else {
      this.#next.state = state;
      this.#next.sync ||= sync;
    }
    const { promise } = this.#next.written;
    this.#working ??= this.#work();
    return promise;
  }

  /** Resolves once nothing is queued. Never rejects. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    // Whoever asks in the same turn shares the first write, too.
    await Promise.resolve();
    for (let batch = this.#take(); batch !== null; batch = this.#take()) {
      try {
        await this.#write(batch.state, batch.sync);
        batch.written.resolve();
      } catch (error) {
        batch.written.reject(error);
        if (batch.sync) this.#take()?.written.reject(error);
      }
    }
    this.#working = null;
  }

  #take(): Batch | null {
    const batch = this.#next;
    this.#next = null;
    return batch;
  }
}
