/**
 * The pause after a failed accept or receive: growing, logged rarely, ended by close.
 *
 * @module
 */
import type { Timer } from "../runtime/types.ts";
import type { TunnelContext } from "./context.ts";

const SHORTEST_MS = 100;
const LONGEST_MS = 500;
const LOG_EVERY_MS = 1_000;

/** Keeps a failing loop from spinning and from filling the log. */
export class RetryPause {
  readonly #context: TunnelContext;
  #nextMs = SHORTEST_MS;
  #loggedAt = -Infinity;
  #failedAt = -Infinity;
  #timer: Timer | null = null;
  #wake: (() => void) | null = null;
  #cancelled = false;

  constructor(context: TunnelContext) {
    this.#context = context;
  }

  /** Logs `error` unless one was logged within the last second, and waits. */
  after(error: unknown, message: string): Promise<void> {
    if (this.#cancelled) return Promise.resolve();
    const { clock } = this.#context.runtime;
    const now = clock.now();
    if (now - this.#failedAt > 2 * LONGEST_MS) this.#nextMs = SHORTEST_MS;
    this.#failedAt = now;
    if (now - this.#loggedAt >= LOG_EVERY_MS) {
      this.#loggedAt = now;
      this.#context.logger.error(message, { error: this.#context.runtime.toError(error).message });
    }
    const ms = this.#nextMs;
    this.#nextMs = Math.min(LONGEST_MS, ms * 2);
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = clock.after(ms, () => this.#resume());
    });
  }

  /** Ends the pause and all later ones. Idempotent. */
  cancel(): void {
    this.#cancelled = true;
    this.#timer?.cancel();
    this.#resume();
  }

  #resume(): void {
    this.#timer = null;
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
