/**
 * Turns: one holder after the other, in the order in which they asked.
 *
 * @module
 */
import type { Clock } from "../../runtime/types.ts";

/** A queue in front of something that only one may use. */
export class Turns {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #waiting: { readonly begin: () => void }[] = [];
  #taken = false;

  /**
   * A queue.
   *
   * @param limitMs who waits longer is refused: whoever holds it hangs
   */
  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** Waits for its turn; false when that took too long. Who got one calls `end`. Undefined: the turn is there at once. */
  begin(): Promise<boolean> | undefined {
    if (!this.#taken) {
      this.#taken = true;
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
    if (next === undefined) this.#taken = false;
    else next.begin();
  }
}
