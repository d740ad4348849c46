/**
 * What errors of PostgreSQL mean.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import { Failure } from "../failure.ts";
import { unavailable } from "./unavailable.ts";

/** Connection exceptions, no resources, operator's intervention, system errors; a lock or statement took too long. */
const UNAVAILABLE = /^(?:08|53|57|58|XX|25006$|25P0[23]$|55P03$|28|3D000$)/;
/** Errors of the driver and of sockets. */
const DISCONNECTED = /^(?:CONNECTION_|CONNECT_|E[A-Z]+$)/;
/** A unique index, a foreign key. */
const CONFLICTS = /^2350[35]$/;
/** Two transactions met: one of them has to begin again. */
const REPEATABLE = /^(?:40001|40P01)$/;

/** Whether the same transaction may succeed the next time. */
export function isRepeatable(error: unknown): boolean {
  return REPEATABLE.test(codeOf(error instanceof Failure ? error.cause : error));
}

/** A failure for whatever the driver threw; a failure comes back as it is. */
export function postgresFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const code = codeOf(error);
  const reason = messageOf(error);
  if (CONFLICTS.test(code)) return new Failure("CONFLICT", `Cannot store this: ${reason}`, { cause: error });
  if (UNAVAILABLE.test(code) || DISCONNECTED.test(code) || REPEATABLE.test(code)) {
    return unavailable(reason, error);
  }
  return new Failure("INTERNAL", `Cannot run a statement: ${reason}`, { cause: error });
}

/** Whether the connection is gone, and whatever ran on it with it. */
export function isDisconnected(error: unknown): boolean {
  const code = codeOf(error instanceof Failure ? error.cause : error);
  return DISCONNECTED.test(code) || /^(?:08|57P)/.test(code);
}

/** Whether the driver threw it: what `run` of a transaction throws on its own stays what it is. */
export function isPostgresError(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof Failure) return false;
  return error.name === "PostgresError" || DISCONNECTED.test(codeOf(error));
}

function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : "";
}
