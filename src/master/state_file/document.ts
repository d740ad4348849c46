/**
 * The state file: bytes to state and back.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Counters } from "../../report/types.ts";
import { countersOf, revisionOf, stateOf } from "./schemas.ts";
import { type Json, seal, unseal } from "./sealed.ts";
import type { MasterState } from "./types.ts";

/** Grows when an older program could not read the file any more. */
const SCHEMA = 1;

/** A state with its place in the row of all states. */
export interface StateDocument {
  /** Grows by one at each save. */
  readonly revision: number;
  readonly state: MasterState;
}

/** Counters that grew since a state was saved. */
export interface CountersDocument {
  /** Revision of the state that they belong to. */
  readonly revision: number;
  readonly counters: Readonly<Record<string, Counters>>;
}

/** The bytes of a state file. */
export function encodeState({ revision, state }: StateDocument): Promise<Uint8Array<ArrayBuffer>> {
  return seal({ schema: SCHEMA, revision, state: jsonOf(state) });
}

/**
 * Reads a state file.
 *
 * @throws {NodePassError} code `corrupt`; `not_supported` when a later version wrote it
 */
export async function decodeState(bytes: Uint8Array): Promise<StateDocument> {
  const { schema, revision, state } = await unseal(bytes);
  checkSchema(schema);
  return { revision: revisionOf(revision), state: stateOf(state) };
}

/** The bytes of a counters file. */
export function encodeCounters({ revision, counters }: CountersDocument): Promise<Uint8Array<ArrayBuffer>> {
  return seal({ schema: SCHEMA, revision, counters: jsonOf(counters) });
}

/**
 * Reads a counters file.
 *
 * @throws {NodePassError} code `corrupt` or `not_supported`
 */
export async function decodeCounters(bytes: Uint8Array): Promise<CountersDocument> {
  const { schema, revision, counters } = await unseal(bytes);
  checkSchema(schema);
  return { revision: revisionOf(revision), counters: countersOf(counters) };
}

function checkSchema(schema: unknown): void {
  if (schema === SCHEMA) return;
  if (typeof schema === "number" && schema > SCHEMA) {
    throw new NodePassError("not_supported", `A later version wrote it (schema ${schema}, this one knows ${SCHEMA})`);
  }
  throw new NodePassError("corrupt", "Its schema number is not what it should be");
}

/** Interfaces have no index signature, which is all that tells them from JSON. */
function jsonOf(value: object): Json {
  return value as unknown as Json;
}
