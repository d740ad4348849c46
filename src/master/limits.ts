/**
 * What names and notes of instances may hold.
 *
 * @module
 */
import { ApiError } from "../http/api_error.ts";
import type { Meta } from "./instance.ts";

/** Longest alias, and longest key or value of a note, in characters. */
const MAX_LENGTH = 256;
/** Largest notes of an instance, serialised: events must stay small. */
const MAX_META_BYTES = 16_384;

/**
 * Refuses a text that is too long.
 *
 * @param what the subject of the answer: "Instance alias"
 * @throws {ApiError} 400
 */
export function checkLength(what: string, text: string): void {
  if (text.length > MAX_LENGTH && [...text].length > MAX_LENGTH) {
    throw new ApiError(400, `${what} exceeds maximum length ${MAX_LENGTH}`);
  }
}

/**
 * Refuses notes that are too long or too many.
 *
 * @throws {ApiError} 400
 */
export function checkMeta({ peer, tags }: Meta): void {
  checkLength("Meta peer.sid", peer.sid);
  checkLength("Meta peer.type", peer.type);
  checkLength("Meta peer.alias", peer.alias);
  for (const [key, value] of Object.entries(tags)) {
    checkLength("Meta tag key", key);
    checkLength("Meta tag value", value);
  }
  if (new TextEncoder().encode(JSON.stringify({ peer, tags })).length > MAX_META_BYTES) {
    throw new ApiError(400, `Meta exceeds maximum size ${MAX_META_BYTES}`);
  }
}
