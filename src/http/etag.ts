/**
 * Revisions of what an API shows, as `ETag` and `If-Match` carry them (RFC 9110).
 *
 * @module
 */

/** The header for a revision. */
export function etagOf(revision: string): string {
  return `"${revision}"`;
}

/**
 * Whether a revision is one that `If-Match` named; null when the request had no such header.
 *
 * @param header the header: `*`, or revisions in quotes; a bare one counts too
 */
export function ifMatchOf(header: string | undefined): ((revision: string) => boolean) | null {
  if (header === undefined) return null;
  const named = header.split(",").map((tag) => tag.trim()).filter((tag) => !tag.startsWith("W/"));
  return (revision) => named.some((tag) => tag === "*" || tag === etagOf(revision) || tag === revision);
}
