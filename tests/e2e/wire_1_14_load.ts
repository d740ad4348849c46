/**
 * Visitors for ends that may close a link where others half-close it: each knows how much comes back.
 *
 * @module
 */
import { writeAll } from "../../src/relay/write_all.ts";
import type { Conn, SocketAddress } from "../../src/runtime/types.ts";
import { deepEqual, equal } from "../harness.ts";
import { dial, seededBytes, sha256, UdpVisitor } from "../unit/tunnel/forward_fixture.ts";
import { askUdp, within } from "./load.ts";

/** Lengths of datagrams that a link without framing keeps whole when one is under way at a time. */
const DATAGRAM_LENGTHS: readonly number[] = [1, 1_200, 9_000];
/** Visitors at a time: a client keeps a few links and opens the next ones every 0.1 s or more slowly. */
const AT_ONCE = 20;

/** Sends `length` seeded bytes, reads as many, checks them, then ends and waits for the end. */
export async function exchangeTcp(entry: SocketAddress, length: number, seed: number): Promise<void> {
  const visitor = await dial(entry);
  try {
    const sent = seededBytes(length, seed);
    const answered = readCount(visitor, length);
    answered.catch(() => {});
    await writeAll(visitor, sent);
    const received = await within(20_000, `the answer to visitor ${seed}`, answered);
    equal(await sha256(received), await sha256(sent), `visitor ${seed} got other bytes back`);
    await visitor.closeWrite();
    const rest = await within(5_000, `the end of visitor ${seed}`, visitor.read(new Uint8Array(1)).catch(() => null));
    equal(rest, null, `visitor ${seed} got more than it sent`);
  } finally {
    visitor.close();
  }
}

/** `count` visitors, {@linkcode AT_ONCE} at a time, of 1 byte to 2 MB, about `totalBytes` together. */
export async function exchangeTcpMany(entry: SocketAddress, count: number, totalBytes: number): Promise<void> {
  const small = [1, 17, 1_460, 4_096, 16_384, 65_537, 100_003];
  const large = Math.max(1, Math.round(totalBytes / 2_000_000 / 2));
  const lengths = Array.from({ length: count }, (_, at) => at < large ? 2_000_000 : small[at % small.length]!);
  let next = 0;
  const failures: unknown[] = [];
  const visitOnAndOn = async (): Promise<void> => {
    while (next < count) {
      const seed = next++;
      await exchangeTcp(entry, lengths[seed]!, seed).catch((error) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, visitOnAndOn));
  if (failures.length > 0) throw new Error(`${failures.length} of ${count} visits failed: ${failures[0]}`);
}

/** Two visitors at once, each with one datagram under way at a time. */
export async function exchangeUdp(entry: SocketAddress, repeats = 1): Promise<void> {
  const visit = async (seed: number): Promise<void> => {
    const visitor = await UdpVisitor.bind(entry);
    try {
      for (let round = 0; round < repeats; round++) {
        for (const length of DATAGRAM_LENGTHS) {
          const sent = seededBytes(length, seed + length + round);
          deepEqual(await askUdp(visitor, sent), sent, `a datagram of ${length} bytes came back different`);
        }
      }
    } finally {
      visitor[Symbol.dispose]();
    }
  };
  await Promise.all([visit(1), visit(2)]);
}

async function readCount(conn: Conn, count: number): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(count);
  for (let filled = 0; filled < count;) {
    const got = await conn.read(all.subarray(filled));
    if (got === null) throw new Error(`closed after ${filled} of ${count} bytes`);
    filled += got;
  }
  return all;
}
