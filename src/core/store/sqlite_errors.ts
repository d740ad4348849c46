/**
 * What errors of SQLite mean.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import { Failure } from "../failure.ts";
import { unavailable } from "./unavailable.ts";

/** Busy, locked, out of memory, read-only, disk error, corrupt, full, cannot open, protocol, not a database. */
const UNAVAILABLE = new Set([5, 6, 7, 8, 10, 11, 13, 14, 15, 26]);
/** A unique index, a primary key, a row id, a foreign key. */
const CONFLICTS = new Set([2067, 1555, 2579, 787]);

/** A failure for whatever a connection threw; a failure comes back as it is. */
export function sqliteFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const reason = messageOf(error);
  const { errcode, code } = (error ?? {}) as { readonly errcode?: unknown; readonly code?: unknown };
  if (typeof errcode === "number") {
    if (CONFLICTS.has(errcode)) return new Failure("CONFLICT", `Cannot store this: ${reason}`, { cause: error });
    if (UNAVAILABLE.has(errcode & 0xff)) return unavailable(reason, error);
  }
  // The connection was closed.
  if (code === "ERR_INVALID_STATE") return unavailable(reason, error);
  return new Failure("INTERNAL", `Cannot run a statement: ${reason}`, { cause: error });
}
