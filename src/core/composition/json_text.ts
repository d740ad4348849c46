/**
 * JSON that is put together from texts.
 *
 * @module
 */
import type { JsonObject } from "../contract/types.ts";

/** A value as an object; an empty one when it is none. */
export function jsonObject(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as JsonObject : {};
}

/** The members of an object without its braces: `"a":1,"b":2`. */
export function jsonMembers(value: JsonObject): string {
  return JSON.stringify(value).slice(1, -1);
}
