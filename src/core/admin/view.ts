/**
 * From columns to what administrators see.
 *
 * @module
 */
import { toHex } from "../../bytes/hex.ts";
import { numOrNull } from "../store/database.ts";

/** A number of bytes: beyond what a JSON number holds exactly it becomes decimal text. */
export function bytesOf(value: unknown): number | string {
  const bytes = BigInt(value as bigint);
  return bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : String(bytes);
}

/** The same for a column that may be empty. */
export function bytesOrNull(value: unknown): number | string | null {
  return value === null || value === undefined ? null : bytesOf(value);
}

/** A time as ISO-8601 text in UTC; null where there is none. */
export function timeOf(value: unknown): string | null {
  const at = numOrNull(value);
  return at === null ? null : new Date(at).toISOString();
}

/** Text, or null. */
export function textOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** A flag. */
export function flagOf(value: unknown): boolean {
  return Number(value) !== 0;
}

/** JSON that a column holds; `otherwise` where it is empty. */
export function jsonOf<T>(value: unknown, otherwise: T): T {
  return value === null || value === undefined ? otherwise : JSON.parse(String(value)) as T;
}

/** The revision of something: changes with everything in `fixed`. */
export async function revisionOf(fixed: unknown): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(fixed)));
  return toHex(new Uint8Array(digest, 0, 8));
}
