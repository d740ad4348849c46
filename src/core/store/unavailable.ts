/**
 * The answer of a store that cannot be used now.
 *
 * @module
 */
import { Failure } from "../failure.ts";

const RETRY_MS = 1_000;

/** `STORE_UNAVAILABLE`: nothing was done, and may be tried again soon. */
export function unavailable(reason: string, cause?: unknown): Failure {
  return new Failure("STORE_UNAVAILABLE", `Cannot use the database: ${reason}`, { cause, retryAfterMs: RETRY_MS });
}
