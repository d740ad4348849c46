/**
 * Streams whose every byte says whose it is and where it belongs, checked at the speed of a memory compare.
 *
 * @module
 */
// `node:buffer`: both runtimes lack a web API that compares byte ranges natively.
import { Buffer } from "node:buffer";
import { writeAll } from "../../src/relay/write_all.ts";
import type { Conn } from "../../src/runtime/types.ts";
import { seededBytes } from "../../tests/unit/tunnel/forward_fixture.ts";

/** A prime: streams with other tags differ in every alignment of buffers. */
const PERIOD = 1_048_573;
const NOISE = seededBytes(PERIOD, 20_25);
const TWICE = new Uint8Array(2 * PERIOD);
TWICE.set(NOISE);
TWICE.set(NOISE, PERIOD);

/** Longest part that `slice` gives. */
export const LONGEST_PART = 65_536;

/** An endless stream of bytes under one tag. */
export class TaggedBytes {
  readonly #start: number;

  constructor(tag: number) {
    this.#start = (tag * 7_919 + 13) % PERIOD;
  }

  /** A view of the bytes from `from` on; not to be changed. */
  slice(from: number, length: number): Uint8Array<ArrayBuffer> {
    const at = (this.#start + from) % PERIOD;
    return TWICE.subarray(at, at + length);
  }

  /** How many of `bytes` do not belong at `from`. */
  wrong(from: number, bytes: Uint8Array): number {
    let wrong = 0;
    for (let at = 0; at < bytes.length; at += LONGEST_PART) {
      const part = bytes.subarray(at, at + LONGEST_PART);
      const right = this.slice(from + at, part.length);
      if (Buffer.compare(part, right) === 0) continue;
      for (let i = 0; i < part.length; i++) if (part[i] !== right[i]) wrong++;
    }
    return wrong;
  }
}

/** Writes `length` bytes of a stream from `from` on, `part` at a time. */
export async function sendTagged(
  conn: Conn,
  stream: TaggedBytes,
  from: number,
  length: number,
  part: number = LONGEST_PART,
): Promise<void> {
  for (let done = 0; done < length; done += part) {
    await writeAll(conn, stream.slice(from + done, Math.min(part, length - done)));
  }
}

/** What came out of a connection. */
export interface Received {
  readonly bytes: number;
  readonly wrong: number;
  /** `end`: cleanly; `reset`: reading failed; `enough`: the limit was reached. */
  readonly how: "end" | "reset" | "enough";
}

/** Reads and checks until the end, or until `limit` bytes came. */
export async function receiveTagged(
  conn: Conn,
  stream: TaggedBytes,
  from: number = 0,
  limit: number = Infinity,
): Promise<Received> {
  const buffer = new Uint8Array(LONGEST_PART);
  let bytes = 0;
  let wrong = 0;
  try {
    while (bytes < limit) {
      const count = await conn.read(limit - bytes < buffer.length ? buffer.subarray(0, limit - bytes) : buffer);
      if (count === null) return { bytes, wrong, how: "end" };
      wrong += stream.wrong(from + bytes, buffer.subarray(0, count));
      bytes += count;
    }
  } catch {
    return { bytes, wrong, how: "reset" };
  }
  return { bytes, wrong, how: "enough" };
}
