/**
 * A clock that stands still until a test moves it.
 *
 * @module
 */
import type { Clock, Timer } from "../src/runtime/types.ts";

interface Scheduled {
  due: number;
  readonly order: number;
  readonly intervalMs: number | null;
  readonly run: () => void;
}

/** Time under the control of a test: timers run inside `advance`, in the order in which they are due. */
export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #epoch: number;
  readonly #timers = new Set<Scheduled>();

  /** @param epoch what `wall` says at the start, in milliseconds since 1970 */
  constructor(epoch: number = Date.UTC(2025, 0, 1)) {
    this.#epoch = epoch;
  }

  /** Timers that wait; 0 at the end of a test proves that nothing was left behind. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#epoch + this.#now;
  }

  after(ms: number, run: () => void): Timer {
    return this.#schedule(ms, null, run);
  }

  every(ms: number, run: () => void): Timer {
    return this.#schedule(ms, Math.max(1, ms), run);
  }

  soon(run: () => void): void {
    queueMicrotask(run);
  }

  /** Moves the time forward and runs every timer that becomes due, with `now` at its due time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#next(end); next !== null; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.due);
      if (next.intervalMs === null) this.#timers.delete(next);
      else next.due += next.intervalMs;
      next.run();
    }
    this.#now = end;
  }

  /** Like `advance`, in steps, letting promises settle after each: for code that awaits between its timers. */
  async advanceSteps(ms: number, stepMs: number = ms): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.advance(Math.min(left, stepMs));
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
    }
  }

  #schedule(ms: number, intervalMs: number | null, run: () => void): Timer {
    const scheduled: Scheduled = { due: this.#now + Math.max(0, ms), order: this.#order++, intervalMs, run };
    this.#timers.add(scheduled);
    return { cancel: () => void this.#timers.delete(scheduled) };
  }

  #next(end: number): Scheduled | null {
    let next: Scheduled | null = null;
    for (const timer of this.#timers) {
      if (timer.due > end) continue;
      if (next === null || timer.due < next.due || (timer.due === next.due && timer.order < next.order)) next = timer;
    }
    return next;
  }
}
