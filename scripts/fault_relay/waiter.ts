/**
 * Waiting for a change or for a time, both of which an end cuts short.
 *
 * @module
 */
import type { Clock, Timer } from "../../src/runtime/types.ts";

/** Wakes who waits; after `end` nothing waits any more. */
export class Waiter {
  readonly #clock: Clock;
  readonly #woken = new Set<() => void>();
  readonly #sleeping = new Map<() => void, Timer>();
  #ended = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get ended(): boolean {
    return this.#ended;
  }

  now(): number {
    return this.#clock.now();
  }

  /** Resolves at the next `wake`. */
  change(): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => void this.#woken.add(resolve));
  }

  /** Resolves after the time. */
  sleep(ms: number): Promise<void> {
    if (this.#ended || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.after(ms, () => {
        this.#sleeping.delete(resolve);
        resolve();
      });
      this.#sleeping.set(resolve, timer);
    });
  }

  wake(): void {
    const woken = [...this.#woken];
    this.#woken.clear();
    for (const resolve of woken) resolve();
  }

  end(): void {
    this.#ended = true;
    this.wake();
    for (const [resolve, timer] of this.#sleeping) {
      timer.cancel();
      resolve();
    }
    this.#sleeping.clear();
  }
}
