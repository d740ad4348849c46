/**
 * Randomness as both runtimes give it.
 *
 * @module
 */
import type { Random } from "./types.ts";

/** The most that one call of `crypto.getRandomValues` fills. */
const quota = 65536;

/** Asking the system costs as much for a few bytes as for a page of them. */
const PAGE = 4096;
const SMALL = 64;
let page = new Uint8Array(PAGE);
let given = PAGE;

/** A few bytes out of a page; each is given once and does not stay behind. */
function fromPage(length: number): Uint8Array<ArrayBuffer> {
  if (given + length > PAGE) {
    page = crypto.getRandomValues(page);
    given = 0;
  }
  const bytes = page.slice(given, given + length);
  page.fill(0, given, given += length);
  return bytes;
}

/** Randomness of the system, fit for secrets. */
export const systemRandom: Random = {
  bytes(length) {
    if (length <= SMALL) return fromPage(length);
    const bytes = new Uint8Array(length);
    for (let start = 0; start < length; start += quota) crypto.getRandomValues(bytes.subarray(start, start + quota));
    return bytes;
  },
  fraction: () => Math.random(),
};
