/**
 * What a stored state looks like.
 *
 * @module
 */
import * as v from "valibot";
import { NodePassError } from "../../errors.ts";
import type { Counters } from "../../report/types.ts";
import type { StoredInstance } from "../instance.ts";
import type { MasterState } from "./types.ts";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const counters: v.GenericSchema<unknown, Counters> = v.object({
  tcprx: count,
  tcptx: count,
  udprx: count,
  udptx: count,
});

/** Taken as it is: a record schema would drop names such as "constructor". */
const tags = v.custom<Readonly<Record<string, string>>>((value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) &&
  Object.values(value).every((member) => typeof member === "string")
);

const instance: v.GenericSchema<unknown, StoredInstance> = v.object({
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/)),
  alias: v.string(),
  url: v.string(),
  restart: v.boolean(),
  wanted: v.boolean(),
  meta: v.object({ peer: v.object({ sid: v.string(), type: v.string(), alias: v.string() }), tags }),
  counters,
  wire: v.exactOptional(v.literal("1.14")),
});

const state: v.GenericSchema<unknown, MasterState> = v.object({
  masterId: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  alias: v.string(),
  apiKey: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  run: count,
  wire: v.picklist(["secure", "1.14"]),
  instances: v.pipe(
    v.array(instance),
    v.check((list) => new Set(list.map(({ id }) => id)).size === list.length, "an id is there twice"),
  ),
});

const countersById: v.GenericSchema<unknown, Readonly<Record<string, Counters>>> = v.record(v.string(), counters);

/**
 * A state out of JSON.
 *
 * @throws {NodePassError} code `corrupt`: the first member that is wrong, without its value
 */
export function stateOf(value: unknown): MasterState {
  return checked(state, value);
}

/**
 * Counters of instances by id, out of JSON.
 *
 * @throws {NodePassError} code `corrupt`
 */
export function countersOf(value: unknown): Readonly<Record<string, Counters>> {
  return checked(countersById, value);
}

/**
 * A number of a state out of JSON: they grow by one.
 *
 * @throws {NodePassError} code `corrupt`
 */
export function revisionOf(value: unknown): number {
  return checked(count, value);
}

function checked<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  // Messages of the schemas repeat values, and some of those are secret.
  const place = v.getDotPath(result.issues[0]) ?? "value";
  throw new NodePassError("corrupt", `Its member ${place} is not what it should be`);
}
