/**
 * So many things in a second, and no more.
 *
 * @module
 */
import type { Clock, Timer } from "../../runtime/types.ts";

/** Counts what is done; up to one second's worth may come at once. */
export class Pace {
  readonly #clock: Clock;
  readonly #perSecond: number;
  /** When what was taken so far would be done, at an even pace. */
  #paidUntil = 0;
  #timer: Timer | null = null;
  #wake: (() => void) | null = null;
  #closed = false;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
  }

  /** Whether one more may be done now. */
  take(): boolean {
    if (this.#ahead() + 1000 / this.#perSecond > 1000) return false;
    this.#pay(1);
    return true;
  }

  /** Waits until `count` more may be done. */
  async wait(count: number): Promise<void> {
    this.#pay(count);
    const ms = this.#ahead() - 1000;
    if (ms <= 0 || this.#closed) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#timer = this.#clock.after(ms, resolve);
    });
  }

  /** Lets go whoever waits. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#wake?.();
  }

  /** Milliseconds of work that were taken before their time. */
  #ahead(): number {
    return Math.max(0, this.#paidUntil - this.#clock.now());
  }

  #pay(count: number): void {
    this.#paidUntil = Math.max(this.#paidUntil, this.#clock.now()) + count * 1000 / this.#perSecond;
  }
}
