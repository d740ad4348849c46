/**
 * Visitors that check every byte that comes back.
 *
 * @module
 */
import { writeAll } from "../../src/relay/write_all.ts";
import type { SocketAddress } from "../../src/runtime/types.ts";
import { deepEqual, equal } from "../harness.ts";
import { dial, readAll, runtime, seededBytes, sha256, UdpVisitor } from "../unit/tunnel/forward_fixture.ts";

/** Lengths of datagrams, from the shortest to the longest that UDP has. */
export const DATAGRAM_LENGTHS: readonly number[] = [0, 1, 1_200, 9_000, 65_507];

/** Sends `length` seeded bytes, ends, and checks that the echo is the same. */
export async function echoTcp(entry: SocketAddress, length: number, seed: number): Promise<void> {
  const visitor = await dial(entry);
  try {
    const sent = seededBytes(length, seed);
    const answered = readAll(visitor);
    // Its failure is that of the whole; it must not be unhandled when writing fails first.
    answered.catch(() => {});
    await writeAll(visitor, sent);
    await visitor.closeWrite();
    const received = await answered as Uint8Array<ArrayBuffer>;
    equal(received.length, length, `visitor ${seed} got ${received.length} of ${length} bytes back`);
    equal(await sha256(received), await sha256(sent), `visitor ${seed} got other bytes back`);
  } finally {
    visitor.close();
  }
}

/** `count` visitors at once, of 0 bytes to 2 MB, `totalBytes` together or a little more. */
export async function echoTcpMany(entry: SocketAddress, count: number, totalBytes: number): Promise<void> {
  const visits = lengths(count, totalBytes).map((length, seed) => echoTcp(entry, length, seed));
  const results = await Promise.allSettled(visits);
  const failed = results.filter((result) => result.status === "rejected");
  if (failed.length > 0) throw new Error(`${failed.length} of ${count} visits failed: ${failed[0]!.reason}`);
}

/** Mixed lengths: empty, one byte, small, and one in forty of 2 MB while the total allows it. */
function lengths(count: number, totalBytes: number): number[] {
  const small = [0, 1, 17, 1_460, 4_096, 16_383, 16_384, 16_385, 65_536, 100_003];
  const all = Array.from({ length: count }, (_, index) => small[index % small.length]!);
  let rest = totalBytes - all.reduce((sum, length) => sum + length, 0);
  for (let index = 7; index < count && rest > 0; index += 40) {
    const length = Math.min(2_000_000, rest);
    all[index] = length;
    rest -= length;
  }
  return all;
}

/** One visitor sends datagrams of all lengths, one in flight, and checks each echo. */
export async function echoUdp(entry: SocketAddress, repeats = 1): Promise<void> {
  const visitor = await UdpVisitor.bind(entry);
  try {
    for (let round = 0; round < repeats; round++) {
      for (const length of DATAGRAM_LENGTHS) {
        const sent = seededBytes(length, length + round);
        deepEqual(await askUdp(visitor, sent), sent, `a datagram of ${length} bytes came back different`);
      }
    }
  } finally {
    visitor[Symbol.dispose]();
  }
}

/** Sends a datagram, again every 400 ms while nothing comes back: UDP may lose it. Rejects after 8 s. */
export async function askUdp(visitor: UdpVisitor, bytes: Uint8Array, limitMs = 8_000): Promise<Uint8Array> {
  const answer = visitor.receive();
  answer.catch(() => {});
  await visitor.send(bytes);
  const again = runtime.clock.every(400, () => void visitor.send(bytes).catch(() => {}));
  try {
    return await within(limitMs, `an answer to ${bytes.length} bytes of UDP`, answer);
  } finally {
    again.cancel();
  }
}

/** The result of `work`, or an error that names what did not come in time. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`Waited ${ms} ms for ${what}`)), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until `reached` holds, looking every 20 ms. */
export async function until(what: string, reached: () => boolean, ms = 10_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!reached()) {
    if (performance.now() > deadline) throw new Error(`Waited ${ms} ms until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
