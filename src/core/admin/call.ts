/**
 * Who asks for a change, and what is left behind of it.
 *
 * @module
 */
import { audit } from "../audit.ts";
import { Failure } from "../failure.ts";
import type { Database } from "../store/database.ts";
import type { Actor } from "./tokens.ts";

/** One call of an administrator. */
export interface AdminCall {
  readonly actor: Actor;
  /** Where it comes from, canonical. */
  readonly ip: string;
  readonly requestId: string;
  /** UTC milliseconds. */
  readonly at: number;
  /** The header `If-Match`, or null without one. */
  readonly ifMatch: ((etag: string) => boolean) | null;
}

/** Leaves a row behind, in the transaction of the change. Secrets never go in. */
export async function auditCall(
  tx: Database,
  { actor, ip, requestId, at }: AdminCall,
  action: string,
  target: string,
  details: Readonly<Record<string, unknown>> | null = null,
): Promise<void> {
  await audit(tx, { at, actor: `token:${actor.tokenId}`, action, target, ip, requestId, details });
}

/**
 * Refuses a change of something that is not what the caller saw.
 *
 * @throws {Failure} PRECONDITION_FAILED
 */
export function requireMatch({ ifMatch }: AdminCall, etag: string): void {
  if (ifMatch !== null && !ifMatch(etag)) {
    throw new Failure("PRECONDITION_FAILED", "It was changed meanwhile: read it again");
  }
}

/** Something that was asked for is not there. */
export function notFound(noun: string, key: string | number): Failure {
  return new Failure("NOT_FOUND", `No ${noun} ${key}`);
}
