import fc from "fast-check";
import { encodeClose, encodeOpen, encodePing, FrameType } from "../../../src/wire/secure/frames.ts";
import { deepEqual, equal, match, ok, test } from "../../harness.ts";
import { type Announced, bare, frame, opening } from "./datagram_fixture.ts";

function datagram(number: number, bytes: readonly number[]): Uint8Array<ArrayBuffer> {
  return frame(FrameType.DGRAM, [number >> 8, number & 0xff, ...bytes]);
}

test("DatagramLink ends at hostile frames and tells its sessions", async () => {
  const tcp = { protocol: "tcp", visitor: opening.visitor } as const;
  for (
    const [bytes, message] of [
      [frame(FrameType.DGRAM, [], 65_538), /type 6 announces 65538 bytes, the limit is 65537/],
      [frame(0xff, [], 0xffffff), /announces 16777215 bytes/],
      [frame(FrameType.DGRAM, [1]), /without a session number/],
      [frame(FrameType.CLOSE, []), /without a session number/],
      [frame(FrameType.DATA, [1]), /frame type 2/],
      [frame(FrameType.FIN, [0, 0, 0, 1]), /frame type 3/],
      [frame(0x7f, []), /frame type 127/],
      [encodeOpen(5, opening), /OPEN 5/],
      [encodeOpen(65_536, opening), /OPEN 65536/],
      [encodeOpen(9, tcp), /OPEN 9/],
      [frame(FrameType.OPEN, [0]), /OPEN/],
      [frame(FrameType.PING, [0]), /token/],
    ] as const
  ) {
    const { own, hear } = bare();
    await hear(encodeOpen(5, opening));
    await hear(bytes);
    equal(own.error?.code, "protocol", String(message));
    match(own.error!.message, message);
    equal(own.announced[0]!.receiver.closings, 1);
    ok(own.conn.closed);
    await own.running;
  }
  const { own, hear } = bare("ingress");
  await hear(encodeOpen(0, opening));
  equal(own.error?.code, "protocol");
});

test("DatagramLink skips newer frames, stray CLOSE and datagrams of nobody", async () => {
  const { own, hear } = bare();
  await hear(frame(0x80, [1, 2, 3]), encodeClose(4), datagram(9, [1, 2]), encodeOpen(9, opening), datagram(9, [3]));
  equal(own.error, null);
  deepEqual(own.announced[0]!.receiver.datagrams, [Uint8Array.of(3)]);
  own.link.close();
  await own.running;
});

test("DatagramLink takes frames cut anywhere", async () => {
  const frames = [encodeOpen(1, opening), datagram(1, []), encodePing(8), datagram(1, [1, 2, 3, 4, 5]), encodeClose(1)];
  const all = new Uint8Array(frames.flatMap((bytes) => [...bytes]));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: all.length - 1 }), { maxLength: 10 }), async (cuts) => {
      const { own, hear } = bare();
      let from = 0;
      for (const cut of [...new Set(cuts), all.length].sort((a, b) => a - b)) {
        await hear(all.subarray(from, cut));
        from = cut;
      }
      const [{ receiver }] = own.announced as [Announced];
      deepEqual(receiver.datagrams, [new Uint8Array(0), Uint8Array.of(1, 2, 3, 4, 5)]);
      deepEqual([receiver.closings, own.link.sessions, own.error], [1, 0, null]);
      deepEqual(own.conn.sent.map((bytes) => bytes[0]), [FrameType.PONG]);
      own.link.close();
      await own.running;
    }),
    { numRuns: 40 },
  );
});

test("DatagramLink survives random bytes: it ends with an error of its own or waits for more", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 64 }), { maxLength: 8 }), async (chunks) => {
      const { own, hear } = bare();
      await hear(encodeOpen(5, opening), ...chunks);
      const { code } = own.error ?? { code: "protocol" };
      equal(code, "protocol", own.error?.message);
      own.link.close();
      await own.running;
      equal(own.announced[0]!.receiver.closings, 1);
    }),
    { numRuns: 200 },
  );
});
