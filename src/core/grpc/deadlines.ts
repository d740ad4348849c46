/**
 * When calls are given up: one timer for all of them, because nearly all end long before.
 *
 * @module
 */
import type { Clock, Timer } from "../../runtime/types.ts";

/** A call that may be given up. */
interface Waiting {
  readonly due: number;
  readonly giveUp: () => void;
}

/** Deadlines of the calls of one door; all of them have the same time. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #ms: number;
  /** The one that is due first at the front. */
  readonly #waiting = new Set<Waiting>();
  #timer: Timer | null = null;

  /** Calls are given up after `ms`. */
  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  /** Calls `giveUp` at the deadline of a call that begins at `now` (clock ms), unless the returned function comes first. */
  begin(now: number, giveUp: () => void): () => void {
    const waiting = { due: now + this.#ms, giveUp };
    this.#waiting.add(waiting);
    this.#timer ??= this.#clock.after(this.#ms, () => this.#look());
    return () => void this.#waiting.delete(waiting);
  }

  /** Gives nobody up any more. */
  close(): void {
    this.#timer?.cancel();
    this.#waiting.clear();
  }

  #look(): void {
    this.#timer = null;
    const now = this.#clock.now();
    for (const waiting of this.#waiting) {
      if (waiting.due > now) {
        this.#timer = this.#clock.after(waiting.due - now, () => this.#look());
        return;
      }
      this.#waiting.delete(waiting);
      waiting.giveUp();
    }
  }
}
