/**
 * Randomness as both runtimes give it.
 *
 * @module
 */
import type { Random } from "./types.ts";

/** The most that one call of `crypto.getRandomValues` fills. */
const quota = 65536;

/** Randomness of the system, fit for secrets. */
export const systemRandom: Random = {
  bytes(length) {
    const bytes = new Uint8Array(length);
    for (let start = 0; start < length; start += quota) crypto.getRandomValues(bytes.subarray(start, start + quota));
    return bytes;
  },
  fraction: () => Math.random(),
};
