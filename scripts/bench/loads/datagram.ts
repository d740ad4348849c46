/**
 * The contents of a test datagram: its number at three places, a fixed pattern between them.
 *
 * @module
 */

/** Size of each test datagram. */
export const DATAGRAM_BYTES = 1200;
/** Numbers from here on are warm-up datagrams, which nobody counts. */
export const WARM_UP_FROM = 0x80000000;

const WORDS = DATAGRAM_BYTES / 4;
const MIDDLE = WORDS >> 1;
const MIDDLE_MASK = 0x5bd1e995;
const LAST_MASK = 0x9e3779b1;

/** Writes the pattern once into the slot that starts at word `at`. */
export function fillPattern(words: Uint32Array, at: number): void {
  for (let i = 0; i < WORDS; i++) words[at + i] = Math.imul(i + 1, 0x85ebca6b);
}

/** Writes the datagram's number. */
export function stamp(words: Uint32Array, at: number, sequence: number): void {
  words[at] = sequence;
  words[at + MIDDLE] = sequence ^ MIDDLE_MASK;
  words[at + WORDS - 1] = sequence ^ LAST_MASK;
}
