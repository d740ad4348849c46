/**
 * Answers of a worker that the main thread waits for without a turn of its event loop: its handle answers at once.
 *
 * @module
 */

/** Number of the question that was answered last; length of the answer in bytes. */
const HEADER_BYTES = 8;
const FIRST_BYTES = 64 * 1024;
const MAX_BYTES = 256 * 1024 * 1024;

/** Memory of a mailbox: it grows with the answers. */
export function mailboxMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(FIRST_BYTES, { maxByteLength: MAX_BYTES });
}

/** Puts the answer to question `turn` in. */
export function answer(memory: SharedArrayBuffer, turn: number, value: unknown): void {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const needed = HEADER_BYTES + bytes.length;
  if (needed > MAX_BYTES) return;
  if (memory.byteLength < needed) memory.grow(needed);
  new Uint8Array(memory).set(bytes, HEADER_BYTES);
  const header = new Int32Array(memory, 0, 2);
  header[1] = bytes.length;
  Atomics.store(header, 0, turn);
  Atomics.notify(header, 0);
}

/** Waits for the answer to question `turn`; undefined when it does not come within `ms`. */
export function awaitAnswer(memory: SharedArrayBuffer, turn: number, ms: number): unknown {
  const header = new Int32Array(memory, 0, 2);
  const end = performance.now() + ms;
  for (;;) {
    const last = Atomics.load(header, 0);
    if (last === turn) break;
    const left = end - performance.now();
    if (left <= 0 || Atomics.wait(header, 0, last, left) === "timed-out") return undefined;
  }
  // Text cannot be decoded in shared memory.
  const bytes = new Uint8Array(memory, HEADER_BYTES, header[1]).slice();
  return JSON.parse(new TextDecoder().decode(bytes));
}
