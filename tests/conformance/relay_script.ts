/**
 * Seeded bytes, sent and checked by their position.
 *
 * @module
 */
import type { Party } from "./relay_suite.ts";
import { equal } from "../harness.ts";

/** A prime, so that no buffer size is in step with it. */
const PATTERN_BYTES = 65_521;
const patterns = new Map<number, Uint8Array>();

/** Gives numbers from 0 to below `limit`, the same for the same seed. */
export function seededRandom(seed: number): (limit: number) => number {
  let state = seed >>> 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

function patternOf(seed: number): Uint8Array {
  const known = patterns.get(seed);
  if (known !== undefined) return known;
  const random = seededRandom(seed * 7919);
  const made = Uint8Array.from({ length: PATTERN_BYTES }, () => random(256));
  patterns.set(seed, made);
  return made;
}

/** The bytes of a stream from `start` on. */
function slice(seed: number, start: number, length: number): Uint8Array {
  const pattern = patternOf(seed);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const from = (start + at) % PATTERN_BYTES;
    const part = pattern.subarray(from, from + Math.min(PATTERN_BYTES - from, length - at));
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The bytes of all writes together. */
export function sizesTotal(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

/** Sends one write per size. */
export async function sendPattern(party: Party, sizes: readonly number[], seed: number): Promise<void> {
  let sent = 0;
  for (const size of sizes) {
    await party.send(slice(seed, sent, size));
    sent += size;
  }
}

/** Receives `length` bytes or more and checks them by their position. */
export async function receiveAtLeast(party: Party, length: number, seed: number): Promise<number> {
  let received = 0;
  while (received < length) {
    const bytes = await party.receive();
    if (bytes === null) break;
    check(bytes, received, seed);
    received += bytes.length;
  }
  return received;
}

/** Receives to the clean end, checks every byte, and says how many there were. */
export async function receiveAll(party: Party, seed: number): Promise<number> {
  return await receiveAtLeast(party, Infinity, seed);
}

function check(bytes: Uint8Array, start: number, seed: number): void {
  const pattern = patternOf(seed);
  let at = start % PATTERN_BYTES;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== pattern[at]) equal(bytes[i], pattern[at], `byte ${start + i}`);
    if (++at === PATTERN_BYTES) at = 0;
  }
}

/** Reads on until the end: `clean` or `broken`. */
export async function receiveNothingMore(party: Party): Promise<"clean" | "broken"> {
  try {
    while (await party.receive() !== null);
    return "clean";
  } catch {
    return "broken";
  }
}
