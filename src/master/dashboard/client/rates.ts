/**
 * Counters to rates.
 *
 * @module
 */

/** How many samples a history keeps: five minutes of the usual report interval. */
export const HISTORY = 60;
/** Counters that are closer together say nothing about a rate. */
const SHORTEST_MS = 900;

/** Bytes per second in both directions. */
export interface Rate {
  readonly rx: number;
  readonly tx: number;
}

/** The rates of one pair of counters over time. */
export class RateHistory {
  /** Oldest first. */
  readonly samples: Rate[] = [];
  #last: { readonly time: number; readonly rx: number; readonly tx: number } | null = null;

  /** The newest rate. */
  get current(): Rate {
    return this.samples.at(-1) ?? { rx: 0, tx: 0 };
  }

  /** The counters at `time` (ms). Counters that went back start again. */
  push(time: number, rx: number, tx: number): void {
    const last = this.#last;
    if (last === null || rx < last.rx || tx < last.tx) {
      this.#last = { time, rx, tx };
      return;
    }
    const elapsed = time - last.time;
    if (elapsed < SHORTEST_MS) return;
    this.#add({ rx: (rx - last.rx) * 1000 / elapsed, tx: (tx - last.tx) * 1000 / elapsed });
    this.#last = { time, rx, tx };
  }

  /** Nothing runs any more: the next counters are a new beginning. */
  rest(): void {
    this.#last = null;
    const { rx, tx } = this.current;
    if (rx > 0 || tx > 0) this.#add({ rx: 0, tx: 0 });
  }

  #add(rate: Rate): void {
    this.samples.push(rate);
    if (this.samples.length > HISTORY) this.samples.shift();
  }
}
