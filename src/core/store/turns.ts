/**
 * Turns: so many holders at a time, one after the other in the order in which they asked.
 *
 * @module
 */
import type { Clock } from "../../runtime/types.ts";

/** A queue in front of something that only so many may use. */
export class Turns {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #waiting: { readonly begin: () => void }[] = [];
  #free: number;

  /**
   * A queue.
   *
   * @param limitMs who waits longer is refused: whoever holds it hangs, or there is too much to do
   * @param places how many hold it at once
   */
  constructor(clock: Clock, limitMs: number, places: number = 1) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#free = places;
  }

  /** Waits for its turn; false when that took too long. Who got one calls `end`. Undefined: the turn is there at once. */
  begin(): Promise<boolean> | undefined {
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiter = {
      begin: (): void => {
        timer.cancel();
        resolve(true);
      },
    };
    const timer = this.#clock.after(this.#limitMs, () => {
      const index = this.#waiting.indexOf(waiter);
      if (index !== -1) this.#waiting.splice(index, 1);
      resolve(false);
    });
    this.#waiting.push(waiter);
    return promise;
  }

  /** Gives the turn to the next one. */
  end(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next.begin();
  }
}
