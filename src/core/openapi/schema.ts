/**
 * The single values of the document: the counterparts of `contract/fields.ts`.
 *
 * @module
 */
import type { Schema } from "../../http/openapi/types.ts";

const LARGEST = Number.MAX_SAFE_INTEGER;
/** No control character. */
const PLAIN = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";

/** The same with a description. */
export function described(schema: Schema, description: string): Schema {
  return { ...schema, description };
}

/** The same, or null. */
export function orNull(schema: Schema): Schema {
  return typeof schema.type === "string" && schema.enum === undefined
    ? { ...schema, type: [schema.type, "null"] }
    : { oneOf: [schema, { type: "null" }] };
}

/** An integer. */
export function integer(minimum: number, maximum: number = LARGEST): Schema {
  return { type: "integer", format: "int64", minimum, maximum };
}

/** Text without control characters. */
export function text(minLength: number, maxLength: number): Schema {
  return { type: "string", minLength, maxLength, pattern: PLAIN };
}

/** One of a few words. */
export function words(...list: readonly string[]): Schema {
  return { type: "string", enum: list };
}

/** Identifier of a record. */
export const id: Schema = integer(1);
/** A count, or a number of bytes in a request. */
export const count: Schema = integer(0);
/** true or false. */
export const flag: Schema = { type: "boolean" };
/** A point in time. */
export const time: Schema = { type: "string", format: "date-time" };
/** A UUID. */
export const uuid: Schema = { type: "string", format: "uuid" };
/** A port. */
export const port: Schema = integer(1, 65_535);
/** A literal address. */
export const ip: Schema = {
  anyOf: [{ type: "string", format: "ipv4" }, { type: "string", format: "ipv6" }],
};
/** Slug of a node. */
export const code: Schema = { type: "string", pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" };
/** Tag of an inbound or outbound. */
export const tag: Schema = { type: "string", pattern: "^[A-Za-z0-9_.-]{1,64}$" };
/** A host name. */
export const hostName: Schema = {
  type: "string",
  minLength: 1,
  maxLength: 253,
  pattern: "^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)*[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$",
};
/** Bytes in an answer: decimal text beyond what a JSON number holds exactly. */
export const bytes: Schema = {
  type: ["integer", "string"],
  minimum: 0,
  pattern: "^[0-9]+$",
  description: "Bytes. Above 2^53-1 it is decimal text.",
};

/** Any object. */
export function anObject(description: string): Schema {
  return { type: "object", additionalProperties: true, description };
}

/** A list. */
export function listOf(items: Schema, maxItems: number, minItems = 0): Schema {
  return { type: "array", items, ...(minItems > 0 ? { minItems } : {}), maxItems };
}

/** An object of an answer: every member is there, and no other. */
export function whole(properties: Readonly<Record<string, Schema>>, description?: string): Schema {
  return {
    type: "object",
    ...(description === undefined ? {} : { description }),
    required: Object.keys(properties),
    additionalProperties: false,
    properties,
  };
}

/** An object of a request: these members must be there, and no other than those that are known. */
export function closed(required: readonly string[], properties: Readonly<Record<string, Schema>>): Schema {
  return {
    type: "object",
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
    properties,
  };
}

/** An object of a node: what is not known here is ignored. */
export function open(required: readonly string[], properties: Readonly<Record<string, Schema>>): Schema {
  return { type: "object", ...(required.length === 0 ? {} : { required }), additionalProperties: true, properties };
}
