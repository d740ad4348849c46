/**
 * How long reports wait, and when those that are refused shall come back: one after the other, not all at once.
 *
 * After an outage a whole fleet has hours to tell. Who waits longer than an agent does sends it all again, so that the
 * database is busy with what it has already.
 *
 * @module
 */
import type { Clock } from "../../runtime/types.ts";

/** Agents give a call up after 10 s; most of that is for the commit and the way. */
const MOST_WAIT_MS = 4_000;
const SOONEST_MS = 1_000;
const LATEST_MS = 60_000;
/** More are asked to come than there is time for: some are late, and the database shall not wait for them. */
const OVERBOOKED = 1.25;
/** Commits of fewer entries say more about commits than about entries. */
const LEAST_MEASURED = 500;
/** How much the latest commit counts. */
const WEIGHT = 0.3;

/** Appointments in front of one queue. */
export class Appointments {
  readonly #clock: Clock;
  #rate: number;
  /** When all those will have been served that were told to come back. */
  #bookedUntil = 0;

  /**
   * In front of a queue.
   *
   * @param firstRate entries per millisecond before anything was measured
   */
  constructor(clock: Clock, firstRate: number) {
    this.#clock = clock;
    this.#rate = firstRate;
  }

  /** So many entries were written since `startedAt`, in clock milliseconds. */
  measured(entries: number, startedAt: number): void {
    if (entries < LEAST_MEASURED) return;
    const rate = entries / Math.max(1, this.#clock.now() - startedAt);
    this.#rate += WEIGHT * (rate - this.#rate);
  }

  /** Entries that the database is expected to write in so many milliseconds. */
  writtenIn(ms: number): number {
    return this.#rate * ms;
  }

  /** In how many milliseconds a report of `entries` shall come back; null: it may wait behind the `waiting` ones. */
  refuse(entries: number, waiting: number): number | null {
    const waitMs = waiting / this.#rate;
    if (waitMs <= MOST_WAIT_MS) return null;
    const now = this.#clock.now();
    const turn = Math.max(this.#bookedUntil, now + waitMs) + entries / (this.#rate * OVERBOOKED);
    this.#bookedUntil = Math.min(turn, now + LATEST_MS);
    return Math.max(SOONEST_MS, this.#bookedUntil - now);
  }
}
