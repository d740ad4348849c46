/**
 * Something to wait for.
 *
 * @module
 */

/** Wakes whoever waits. */
export class Bell {
  readonly #waiting = new Set<() => void>();

  /** Wakes all that wait now. */
  ring(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Waits for the next ring, `ms` at most. */
  next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }

  /** What `look` finds, now or after a ring; null when nothing was there within `ms`. */
  async until<T>(look: () => T | null | undefined, ms: number): Promise<T | null> {
    const deadline = performance.now() + ms;
    for (;;) {
      const found = look();
      if (found !== null && found !== undefined) return found;
      const left = deadline - performance.now();
      if (left <= 0) return null;
      await this.next(left);
    }
  }
}
