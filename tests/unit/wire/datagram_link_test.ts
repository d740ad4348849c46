import fc from "fast-check";
import { encodeClose, encodePing, FrameType } from "../../../src/wire/secure/frames.ts";
import type { WireDatagrams } from "../../../src/wire/types.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";
import { bare, frame, opening, pair, Receiver, turn } from "./datagram_fixture.ts";

/** Bytes that are wrong when shifted, cut or mixed. */
function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + seed * 7 + (at >> 8)) & 0xff);
}

test("DatagramLink keeps the boundaries of datagrams from 0 to 65,507 bytes, both ways", async () => {
  const { ingress, egress, close } = pair();
  const receiver = new Receiver();
  const session = ingress.link.open(opening, receiver)!;
  const sizes = [0, 1, 2, 3, 1_199, 1_200, 1_472, 8_192, 16_379, 16_380, 16_384, 65_506, 65_507];
  for (const size of sizes) {
    session.send(pattern(size, size));
    await turn();
  }
  const there = egress.announced[0]!;
  deepEqual(there.session.opening, opening);
  deepEqual(there.receiver.datagrams, sizes.map((size) => pattern(size, size)));
  for (const size of sizes) {
    there.session.send(pattern(size, size + 1));
    await turn();
  }
  deepEqual(receiver.datagrams, sizes.map((size) => pattern(size, size + 1)));
  deepEqual([ingress.dropped, egress.dropped], [0, 0]);
  await close();
});

test("DatagramLink sends waiting datagrams in one write", async () => {
  const { ingress, egress, close } = pair();
  const session = ingress.link.open(opening, new Receiver())!;
  for (let at = 0; at < 100; at++) session.send(Uint8Array.of(at));
  await turn();
  equal(egress.announced[0]!.receiver.datagrams.length, 100);
  ok(ingress.conn.sent.length <= 2, `${ingress.conn.sent.length} writes`);
  await close();
});

test("DatagramLink never mixes sessions, whatever is sent", async () => {
  const sent = fc.array(
    fc.record({ at: fc.nat(4), size: fc.oneof(fc.nat(20), fc.nat(65_507)), back: fc.boolean(), pause: fc.boolean() }),
    { maxLength: 15 },
  );
  await fc.assert(
    fc.asyncProperty(sent, async (sent) => {
      const { ingress, egress, close } = pair();
      const receivers = Array.from({ length: 5 }, () => new Receiver());
      const sessions = receivers.map((receiver) => ingress.link.open(opening, receiver)!);
      await turn();
      const expected = { there: receivers.map((): Uint8Array[] => []), back: receivers.map((): Uint8Array[] => []) };
      let bytes = 0;
      for (const { at, size, back, pause } of sent) {
        const content = pattern(size, at);
        if (pause || (bytes += size + 6) > 400_000) {
          await turn();
          bytes = size;
        }
        (back ? egress.announced[at]!.session : sessions[at]!).send(content);
        expected[back ? "back" : "there"][at]!.push(content);
      }
      await turn();
      deepEqual(egress.announced.map(({ receiver }) => receiver.datagrams), expected.there);
      deepEqual(receivers.map((receiver) => receiver.datagrams), expected.back);
      await close();
    }),
    { numRuns: 30 },
  );
});

test("DatagramLink does not overwrite a datagram that is being sent on", async () => {
  const gates: (() => void)[] = [];
  const seen: number[] = [];
  class Slow extends Receiver {
    override async data(bytes: Uint8Array): Promise<void> {
      await new Promise<void>((resolve) => gates.push(resolve));
      seen.push(bytes[0]!);
    }
  }
  const { ingress, close } = pair(() => new Slow());
  const session = ingress.link.open(opening, new Receiver())!;
  for (let at = 0; at < 3; at++) session.send(new Uint8Array(5_000).fill(at));
  await turn();
  for (let at = 3; at < 6; at++) session.send(new Uint8Array(5_000).fill(at));
  for (let rounds = 0; rounds < 12; rounds++) {
    for (const gate of gates.splice(0)) gate();
    await turn();
  }
  deepEqual(seen, [0, 1, 2, 3, 4, 5]);
  await close();
});

test("DatagramLink drops, and counts, what does not fit into its batch; the link lives on", async () => {
  const { clock, own } = bare("ingress");
  const session = own.link.open(opening, new Receiver())!;
  await turn();
  const gate = Promise.withResolvers<void>();
  const write = own.conn.write.bind(own.conn);
  own.conn.write = async (bytes) => {
    await gate.promise;
    return await write(bytes);
  };
  const size = 1_200;
  for (let at = 0; at < 1_000; at++) session.send(new Uint8Array(size));
  // A full batch is in flight, the next one waits.
  const kept = Math.ceil(64 * 1024 / (size + 6)) + Math.floor(512 * 1024 / (size + 6));
  equal(own.dropped, 1_000 - kept);
  gate.resolve();
  await turn();
  session.send(new Uint8Array(size));
  await turn();
  equal(own.dropped, 1_000 - kept);
  equal(own.error, null);
  clock.advance(1);
  own.link.close();
  await own.running;
});

test("DatagramLink keeps room for signals behind a full batch: visitors are turned away, sessions are not cut", async () => {
  const { own, hear } = bare("ingress");
  const open = (): WireDatagrams | null => own.link.open(opening, new Receiver());
  const sessions = Array.from({ length: 5_000 }, () => open()!);
  await turn();
  own.conn.write = () => new Promise<number>(() => {});
  for (let at = 0; at < 20; at++) sessions[0]!.send(new Uint8Array(65_507));
  // Small datagrams fill what the large ones left.
  for (let at = 0; at < 20_000; at++) sessions[0]!.send(new Uint8Array(0));
  equal(open(), null);
  equal(own.link.sessions, 5_000);
  for (const session of sessions.slice(0, 4_000)) session.close();
  deepEqual([own.error, own.link.sessions], [null, 1_000]);
  for (const session of sessions.slice(4_000)) session.close();
  equal(own.error, null);
  // A link that does not even take its signals is of no use.
  await hear(...Array.from({ length: 1_000 }, () => encodePing(1)));
  equal(own.error!.code, "timed_out");
  await own.running;
});

test("DatagramLink closes a session from either end, once", async () => {
  const { ingress, egress, close } = pair();
  const receivers = [new Receiver(), new Receiver()];
  const sessions = receivers.map((receiver) => ingress.link.open(opening, receiver)!);
  await turn();
  const there = egress.announced;
  sessions[0]!.close();
  sessions[0]!.close();
  there[1]!.session.close();
  await turn();
  deepEqual([ingress.link.sessions, egress.link.sessions], [0, 0]);
  deepEqual(there.map(({ receiver }) => receiver.closings), [1, 0]);
  deepEqual(receivers.map((receiver) => receiver.closings), [0, 1]);
  for (const { session } of [...there, { session: sessions[0]! }, { session: sessions[1]! }]) {
    session.send(Uint8Array.of(1));
    session.close();
  }
  await turn();
  ok(receivers.every((receiver) => receiver.datagrams.length === 0));
  await close();
});

test("DatagramLink says CLOSE for a visitor that its owner refuses", async () => {
  const { ingress, egress, close } = pair();
  egress.refuse = true;
  const receiver = new Receiver();
  ingress.link.open(opening, receiver)!.send(Uint8Array.of(1));
  await turn();
  deepEqual([receiver.closings, ingress.link.sessions, egress.link.sessions], [1, 0, 0]);
  await close();
});

test("DatagramLink drops what crosses a CLOSE", async () => {
  const { ingress, egress, close } = pair();
  const receiver = new Receiver();
  const session = ingress.link.open(opening, receiver)!;
  await turn();
  session.close();
  egress.announced[0]!.session.send(Uint8Array.of(1));
  await turn();
  deepEqual([receiver.datagrams.length, ingress.error], [0, null]);
  await close();
});

test("DatagramLink ends all its sessions with it", async () => {
  const { ingress, egress, close } = pair();
  const receivers = Array.from({ length: 3 }, () => new Receiver());
  for (const receiver of receivers) ingress.link.open(opening, receiver);
  await turn();
  ingress.conn.close();
  await turn();
  ok(receivers.every((receiver) => receiver.closings === 1));
  ok(egress.announced.every(({ receiver }) => receiver.closings === 1));
  equal(egress.error!.code, "connection_reset");
  equal(ingress.link.open(opening, new Receiver()), null);
  await close();
});

test("DatagramLink does not use a session number again for 60 s", async () => {
  const { own, clock, peer } = bare("ingress");
  const drain = (async () => {
    const numbers: number[] = [];
    const buffer = new Uint8Array(1_048_576);
    let have = 0;
    for (let count = await peer.read(buffer); count !== null; count = await peer.read(buffer.subarray(have))) {
      have += count;
      let at = 0;
      while (have - at >= 4) {
        const next = at + 4 + ((buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!);
        if (next > have) break;
        if (buffer[at] === FrameType.OPEN) numbers.push(new DataView(buffer.buffer).getUint32(at + 4));
        at = next;
      }
      buffer.copyWithin(0, at, have);
      have -= at;
    }
    return numbers;
  })();
  for (let at = 0; at < 65_536; at++) {
    own.link.open(opening, new Receiver())!.close();
    if (at === 32_767) clock.advance(30_000);
    if (at % 4_096 === 0) await turn();
  }
  await turn();
  equal(own.link.open(opening, new Receiver()), null, "all of them rest");
  clock.advance(29_999);
  equal(own.link.open(opening, new Receiver()), null);
  clock.advance(1);
  ok(own.link.open(opening, new Receiver()) !== null);
  await turn();
  own.link.close();
  const numbers = await drain;
  equal(new Set(numbers.slice(0, 65_536)).size, 65_536);
  ok(numbers[65_536]! <= 32_767, "the first ones come back first");
});

test("DatagramLink takes a CLOSE of the other end for a retirement as well", async () => {
  const { own, clock, hear } = bare("ingress");
  for (let at = 0; at < 65_536; at++) {
    own.link.open(opening, new Receiver());
    if (at % 4_096 === 0) await turn();
  }
  equal(own.link.open(opening, new Receiver()), null);
  await hear(encodeClose(77), encodeClose(77));
  clock.advance(59_999);
  equal(own.link.open(opening, new Receiver()), null);
  clock.advance(1);
  ok(own.link.open(opening, new Receiver()) !== null);
  equal(own.link.open(opening, new Receiver()), null, "one CLOSE more frees nothing more");
  own.link.close();
  await own.running;
});

test("DatagramLink pings a silent link after 10 s and closes it 5 s later", async () => {
  const { own, clock, peer, hear } = bare();
  const pings = (): number => own.conn.sent.filter((bytes) => bytes[0] === FrameType.PING).length;
  const second = async (): Promise<void> => {
    clock.advance(1_000);
    own.link.tick(clock.now());
    await turn();
  };
  own.link.tick(clock.now());
  for (let at = 0; at < 12; at++) await second();
  equal(pings(), 1);
  await hear(frame(FrameType.PONG, [0, 0, 0, 0]));
  for (let at = 0; at < 14; at++) await second();
  deepEqual([pings(), own.error], [2, null]);
  await second();
  await second();
  equal(own.error?.code, "timed_out");
  await own.running;
  peer.close();
});
