/**
 * The hot loop: bytes from a socket to a sink.
 *
 * @module
 */
import type { Conn } from "../runtime/types.ts";
import { releaseBuffer, takeBuffer } from "./copy_buffers.ts";
import type { Meter } from "./meter.ts";
import type { Sink } from "./sink.ts";
import type { TokenBucket } from "./token_bucket.ts";

/** First and smallest buffer: thousands of quiet sessions stay cheap. */
const SMALLEST_BUFFER_BYTES = 4 * 1024;
const GROWTH = 4;
/** Reads in a row that a smaller buffer would have held, before it is used. */
const SMALL_READS_TO_SHRINK = 4;

/** Options of {@linkcode copy}. */
export interface CopyOptions {
  /** Largest buffer. */
  readonly maxBufferBytes: number;
  readonly meter: Meter;
  /** `received`: the source is the metered socket; `sent`: the sink is. @default "received" */
  readonly count?: "received" | "sent";
  /** Rate limit of this direction; null = none. Its waits are let go by `bucket.forget(source)`. */
  readonly bucket: TokenBucket | null;
}

/** How one direction ended. */
export type CopyEnd =
  /** The source ended and the sink was told. */
  | { readonly kind: "end" }
  /** Reading failed: the sink was not told anything. */
  | { readonly kind: "source_failed"; readonly error: unknown }
  /** Writing (or ending the sink) failed. */
  | { readonly kind: "sink_failed"; readonly error: unknown };

const ENDED: CopyEnd = Object.freeze({ kind: "end" });

/**
 * Copies until the source ends, then ends the sink. Never rejects: how it ended is the result.
 *
 * Small for many quiet sessions, large for bulk: the buffer starts at 4 KiB, grows fourfold when a read fills it and
 * shrinks again when reads stay small. Apart from the two awaits nothing is created per chunk but the part of the
 * buffer that is written.
 */
export async function copy(source: Pick<Conn, "read">, sink: Sink, options: CopyOptions): Promise<CopyEnd> {
  const { meter, bucket } = options;
  const { headroom, headerBytes } = sink;
  const received = options.count !== "sent";
  // With its header a chunk fills whole TLS records: four bytes more would be a record, a read and a write of their own.
  const wholeBuffer = options.maxBufferBytes - headerBytes;
  // A read above the burst would wait for tokens longer than the burst lasts.
  const largest = bucket === null ? wholeBuffer : Math.min(wholeBuffer, bucket.burstBytes);
  const smallest = Math.min(SMALLEST_BUFFER_BYTES - headerBytes, largest);
  let size = smallest;
  const first = takeBuffer(headroom + size);
  let buffer = first;
  let room = headroom === 0 ? buffer : buffer.subarray(headroom);
  let smallReads = 0;
  let writing = false;
  try {
    for (;;) {
      const count = await source.read(room);
      if (count === null) break;
      if (received) meter.received(count);
      if (bucket !== null) {
        const wait = bucket.take(count, source);
        if (wait !== undefined) await wait;
      }
      writing = true;
      let start = headroom;
      const end = headroom + count;
      while (start < end) {
        const written = await sink.write(buffer, start, end);
        if (!received) meter.sent(written);
        start += written;
      }
      writing = false;
      let wanted = size;
      if (count === size) {
        smallReads = 0;
        wanted = Math.min(size * GROWTH, largest);
      } else if (size === smallest || count * GROWTH >= size) {
        // One that would just fill the smaller buffer would make it grow again at once.
        smallReads = 0;
      } else if (++smallReads >= SMALL_READS_TO_SHRINK) {
        smallReads = 0;
        wanted = Math.max(Math.floor(size / GROWTH), smallest);
      }
      if (wanted !== size) {
        size = wanted;
        buffer = size === smallest ? first : new Uint8Array(headroom + size);
        room = headroom === 0 ? buffer : buffer.subarray(headroom);
      }
    }
    writing = true;
    await sink.end();
    return ENDED;
  } catch (error) {
    return { kind: writing ? "sink_failed" : "source_failed", error };
  } finally {
    releaseBuffer(first);
  }
}
