/**
 * A wait that can be given up.
 *
 * @module
 */
import type { Clock } from "../runtime/types.ts";

/** Waits, or less when `signal` aborts. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(ms, resolve);
  const stop = (): void => resolve();
  signal.addEventListener("abort", stop, { once: true });
  await promise;
  signal.removeEventListener("abort", stop);
  timer.cancel();
}
