/**
 * The bytes that the demonstration sends: the visitor can check each of them without having seen them before.
 *
 * @module
 */

import { Buffer } from "node:buffer";

const BLOCK_BYTES = 65_536;
const FACTOR = 2_654_435_761;

/** One period of the sequence, noisy enough that a lost or swapped chunk shows. */
const block = Uint8Array.from({ length: BLOCK_BYTES }, (_, at) => Math.imul(at + 1, FACTOR) >>> 24);

/** A stream of the first `size` bytes. */
export function payload(size: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent === size) return controller.close();
      const chunk = block.slice(0, Math.min(BLOCK_BYTES, size - sent));
      sent += chunk.length;
      controller.enqueue(chunk);
    },
  });
}

/** Whether `chunk` is what the sequence has from `offset` on. */
export function isPayload(chunk: Uint8Array, offset: number): boolean {
  for (let at = 0; at < chunk.length;) {
    const from = (offset + at) % BLOCK_BYTES;
    const count = Math.min(BLOCK_BYTES - from, chunk.length - at);
    if (Buffer.compare(chunk.subarray(at, at + count), block.subarray(from, from + count)) !== 0) return false;
    at += count;
  }
  return true;
}
