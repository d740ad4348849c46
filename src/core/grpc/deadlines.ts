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

const FIRST_PLACES = 64;

/** Deadlines of the calls of one door; all of them have the same time. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #ms: number;
  /**
   * A ring: the call with number n is at n modulo its length. A Set would do, but V8 keeps whoever was in one when it
   * changed its size until the next collection of the whole heap: with every call going in and out, that is nearly all.
   */
  #places: (Waiting | null)[] = new Array<Waiting | null>(FIRST_PLACES).fill(null);
  /** Numbers of the first call that may still wait, and of the next one that begins. */
  #first = 0;
  #next = 0;
  #timer: Timer | null = null;

  /** Calls are given up after `ms`. */
  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  /** Calls `giveUp` at the deadline of a call that begins at `now` (clock ms), unless the returned function comes first. */
  begin(now: number, giveUp: () => void): () => void {
    this.#skip();
    if (this.#next - this.#first === this.#places.length) this.#grow();
    const number = this.#next++;
    this.#places[number % this.#places.length] = { due: now + this.#ms, giveUp };
    this.#timer ??= this.#clock.after(this.#ms, () => this.#look());
    return () => {
      if (number >= this.#first) this.#places[number % this.#places.length] = null;
    };
  }

  /** Gives nobody up any more. */
  close(): void {
    this.#timer?.cancel();
    this.#places.fill(null);
  }

  #look(): void {
    this.#timer = null;
    const now = this.#clock.now();
    for (this.#skip(); this.#first < this.#next; this.#skip()) {
      const { due, giveUp } = this.#at(this.#first)!;
      if (due > now) {
        this.#timer = this.#clock.after(due - now, () => this.#look());
        return;
      }
      this.#places[this.#first++ % this.#places.length] = null;
      giveUp();
    }
  }

  /** Past those that ended. */
  #skip(): void {
    while (this.#first < this.#next && this.#at(this.#first) === null) this.#first++;
  }

  #at(number: number): Waiting | null {
    return this.#places[number % this.#places.length]!;
  }

  #grow(): void {
    const places = new Array<Waiting | null>(this.#places.length * 2).fill(null);
    for (let number = this.#first; number < this.#next; number++) places[number % places.length] = this.#at(number);
    this.#places = places;
  }
}
