/**
 * A time limit on what a connection is waited for.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Clock, Conn } from "../../runtime/types.ts";

/** Options of {@linkcode withinTime}. */
export interface TimeLimit {
  /** Closed when the time is over: that ends what is waited for. */
  readonly conn: Pick<Conn, "close">;
  readonly clock: Pick<Clock, "after">;
  readonly timeoutMs: number;
  /** What is said when the time is over. */
  readonly message: string;
}

/**
 * Runs `work` within the limit.
 *
 * @throws {NodePassError} `timed_out`; else what `work` threw
 */
export async function withinTime<T>(limit: TimeLimit, work: () => Promise<T>): Promise<T> {
  let late = false;
  const timer = limit.clock.after(limit.timeoutMs, () => {
    late = true;
    limit.conn.close();
  });
  try {
    return await work();
  } catch (error) {
    throw late ? new NodePassError("timed_out", limit.message, { cause: error }) : error;
  } finally {
    timer.cancel();
  }
}
