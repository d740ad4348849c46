/**
 * First buffers of copy loops: short sessions come and go, their memory is used again.
 *
 * @module
 */

/** Kept per size; more are left to the garbage collector. */
const MAX_KEPT = 256;

const kept = new Map<number, Uint8Array[]>();

/** A buffer of exactly `bytes`; its content is undefined. */
export function takeBuffer(bytes: number): Uint8Array {
  return kept.get(bytes)?.pop() ?? new Uint8Array(bytes);
}

/** Gives a buffer back that nothing refers to any more. */
export function releaseBuffer(buffer: Uint8Array): void {
  const same = kept.get(buffer.length);
  if (same === undefined) kept.set(buffer.length, [buffer]);
  else if (same.length < MAX_KEPT) same.push(buffer);
}
