/**
 * Accepts for ever, and slows down while the system refuses (EMFILE and the like).
 *
 * @module
 */
import type { Clock } from "../../runtime/types.ts";

/** First and longest pause after a failed accept. */
export const ACCEPT_BACKOFF_MS: readonly [first: number, longest: number] = [100, 1_000];

/** Options of {@linkcode acceptLoop}. */
export interface AcceptLoopOptions<C> {
  readonly clock: Clock;
  /** The next connection, or null at the end. */
  readonly accept: () => Promise<C | null>;
  /** Must neither throw nor wait: the next connection is behind it. */
  readonly arrived: (conn: C) => void;
  /** Each failure; `before` counts those before it in the row. */
  readonly failed: (error: unknown, before: number) => void;
  /** The first connection after a row of failures. */
  readonly recovered: (failures: number) => void;
  readonly signal: AbortSignal;
}

/** Resolves when `accept` gave null or the signal fired. Never rejects. */
export async function acceptLoop<C>(options: AcceptLoopOptions<C>): Promise<void> {
  const [first, longest] = ACCEPT_BACKOFF_MS;
  let failures = 0;
  while (!options.signal.aborted) {
    try {
      const conn = await options.accept();
      if (conn === null) return;
      options.arrived(conn);
      if (failures > 0) options.recovered(failures);
      failures = 0;
    } catch (error) {
      if (options.signal.aborted) return;
      options.failed(error, failures);
      await pause(options.clock, Math.min(longest, first * 2 ** Math.min(failures, 10)), options.signal);
      failures++;
    }
  }
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.after(ms, done);
    signal.addEventListener("abort", done);
  });
}
