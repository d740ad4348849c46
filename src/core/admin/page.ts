/**
 * Lists, one page after the other.
 *
 * @module
 */
import { Failure } from "../failure.ts";

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null behind the last one. */
  readonly nextCursor: string | null;
}

/** Which page. */
export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** The cursor behind a record. */
export function cursorAfter(key: string | number | bigint): string {
  return btoa(JSON.stringify([String(key)])).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * The key of the record that a page begins behind; null for the first page.
 *
 * @throws {Failure} VALIDATION_FAILED for a text that is no cursor
 */
export function keyOf(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  try {
    const [key] = JSON.parse(atob(cursor.replaceAll("-", "+").replaceAll("_", "/"))) as unknown[];
    if (typeof key === "string") return key;
  } catch {
    // Not even text.
  }
  throw badCursor();
}

/** The same for lists that are ordered by a number. */
export function numberOf(cursor: string | undefined): number | null {
  const key = keyOf(cursor);
  if (key === null) return null;
  const number = /^\d{1,16}$/.test(key) ? Number(key) : NaN;
  if (!Number.isSafeInteger(number)) throw badCursor();
  return number;
}

/** Cuts what was read, one record more than fits, into a page. */
export function pageOf<R, T>(
  rows: readonly R[],
  { limit }: PageRequest,
  key: (row: R) => string | number | bigint,
  view: (row: R) => T,
): Page<T> {
  const here = rows.slice(0, limit);
  const last = here.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: here.map(view), nextCursor: more ? cursorAfter(key(last)) : null };
}

function badCursor(): Failure {
  return new Failure("VALIDATION_FAILED", "cursor: expected a cursor of a page before", {
    issues: [{ path: "cursor", message: "expected a cursor of a page before" }],
  });
}
