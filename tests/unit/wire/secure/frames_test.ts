import fc from "fast-check";
import { normalizeIp } from "../../../../src/address/ip.ts";
import { NodePassError } from "../../../../src/errors.ts";
import type { AbortReason } from "../../../../src/wire/types.ts";
import {
  abortCode,
  abortReason,
  encodeAbort,
  encodeCancel,
  encodeClose,
  encodeConfig,
  encodeDemand,
  encodeFin,
  encodeGoaway,
  encodeOpen,
  encodePing,
  encodePong,
  encodeReady,
  encodeRefused,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  FrameType,
  MAX_CONFIG_BYTES,
  MAX_FRAME_BYTES,
  MAX_REASON_BYTES,
  parseControlMessage,
  parseOpen,
  parseSequence,
  parseToken,
  readFrameHeader,
  writeFrameHeader,
} from "../../../../src/wire/secure/frames.ts";
import { deepEqual, equal, ok, test, throws } from "../../../harness.ts";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u16 = fc.integer({ min: 0, max: 0xffff });

/** Header and payload of one whole frame. */
function split(frame: Uint8Array): { header: FrameHeader; payload: Uint8Array } {
  const header = { type: -1, length: -1 };
  readFrameHeader(frame, 0, header);
  equal(frame.length, FRAME_HEADER_BYTES + header.length);
  return { header, payload: frame.subarray(FRAME_HEADER_BYTES) };
}

/** Nothing but our own error may come out of a parser. */
function survives(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    return error instanceof NodePassError && error.code === "protocol";
  }
}

test("frames have the documented bytes", () => {
  const opening = { protocol: "tcp", visitor: { host: "192.0.2.7", port: 443 } } as const;
  deepEqual([...encodeOpen(1, opening)], [1, 0, 0, 12, 0, 0, 0, 1, 1, 4, 1, 0xbb, 192, 0, 2, 7]);
  deepEqual([...encodeFin(0xfffffffe)], [3, 0, 0, 4, 0xff, 0xff, 0xff, 0xfe]);
  deepEqual([...encodeAbort(2, abortCode("reset"))], [4, 0, 0, 5, 0, 0, 0, 2, 1]);
  deepEqual([...encodeReady(3)], [5, 0, 0, 4, 0, 0, 0, 3]);
  deepEqual([...encodeClose(0x1234)], [7, 0, 0, 2, 0x12, 0x34]);
  deepEqual([...encodePing(4)], [8, 0, 0, 4, 0, 0, 0, 4]);
  deepEqual([...encodePong(5)], [9, 0, 0, 4, 0, 0, 0, 5]);
  deepEqual([...encodeConfig(new Uint8Array([0x7b, 0x7d]))], [10, 0, 0, 2, 0x7b, 0x7d]);
  deepEqual([...encodeCancel(2 ** 33 + 1, 6)], [11, 0, 0, 12, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 6]);
  deepEqual([...encodeGoaway(5_000)], [12, 0, 0, 4, 0, 0, 0x13, 0x88]);
  deepEqual([...encodeRefused("no")], [13, 0, 0, 2, 0x6e, 0x6f]);
  deepEqual([...encodeDemand(70_000)], [14, 0, 0, 2, 0xff, 0xff]);
});

test("writeFrameHeader() and readFrameHeader() agree at any offset", () => {
  fc.assert(fc.property(fc.nat(MAX_FRAME_BYTES), fc.nat(100), (length, offset) => {
    const buffer = new Uint8Array(offset + FRAME_HEADER_BYTES);
    writeFrameHeader(buffer, offset, FrameType.DATA, length);
    const header = { type: 0, length: 0 };
    readFrameHeader(buffer, offset, header);
    deepEqual(header, { type: FrameType.DATA, length });
  }));
});

test("readFrameHeader() names type and length of what it refuses", () => {
  const cases: [type: number, length: number, message: RegExp][] = [
    [FrameType.DATA, MAX_FRAME_BYTES + 1, /DATA \(type 2\) with 1048577 bytes/],
    [FrameType.FIN, 5, /FIN .*5 bytes: expected 4/],
    [FrameType.CONFIG, MAX_CONFIG_BYTES + 1, /CONFIG .*4097 bytes/],
    [0, 0, /unknown type 0 with 0 bytes/],
    [15, 1, /unknown type 15/],
    [0x7f, 1, /unknown type 127/],
    [0x80, MAX_FRAME_BYTES + 1, /unknown type 128/],
  ];
  for (const [type, length, message] of cases) {
    const buffer = new Uint8Array(FRAME_HEADER_BYTES);
    writeFrameHeader(buffer, 0, type, length);
    throws(() => readFrameHeader(buffer, 0, { type: 0, length: 0 }), { code: "protocol", message });
  }
});

test("types of newer peers with the high bit are skipped", () => {
  const buffer = new Uint8Array(FRAME_HEADER_BYTES + 3);
  writeFrameHeader(buffer, 0, 0x80, 3);
  const { header, payload } = split(buffer);
  equal(parseControlMessage(header.type, payload), null);
});

test("OPEN keeps sequence, protocol and visitor", () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(u32, fc.constantFrom("tcp" as const, "udp" as const), host, u16, (sequence, protocol, ip, port) => {
      const { header, payload } = split(encodeOpen(sequence, { protocol, visitor: { host: ip, port } }));
      equal(header.type, FrameType.OPEN);
      deepEqual(parseOpen(payload), { sequence, opening: { protocol, visitor: { host: normalizeIp(ip), port } } });
    }),
  );
  throws(() => encodeOpen(1, { protocol: "tcp", visitor: { host: "localhost", port: 1 } }), { code: "protocol" });
});

test("numbers come back as they went", () => {
  fc.assert(fc.property(u32, fc.maxSafeNat(), u16, u16, (number, link, links, datagrams) => {
    equal(parseSequence(split(encodeFin(number)).payload), number);
    equal(parseSequence(split(encodeReady(number)).payload), number);
    equal(parseSequence(split(encodeAbort(number, 1)).payload), number);
    equal(parseToken(split(encodePing(number)).payload), number);
    equal(parseToken(split(encodePong(number)).payload), number);
    const messages = [
      [encodeCancel(link, number), { kind: "cancel", link, sequence: number }],
      [encodeGoaway(number), { kind: "goaway", drainMs: number }],
      [encodeDemand(links, datagrams), { kind: "demand", links, datagrams }],
    ] as const;
    for (const [frame, message] of messages) {
      const { header, payload } = split(frame);
      deepEqual(parseControlMessage(header.type, payload), message);
    }
  }));
});

test("abort reasons come back; unknown ones are resets", () => {
  const reasons: AbortReason[] = ["reset", "dial", "slot", "idle", "cut", "shutdown", "link_lost"];
  for (const reason of reasons) equal(abortReason(abortCode(reason)), reason);
  for (const code of [undefined, 0, 200]) equal(abortReason(code), "reset");
});

test("encodeRefused() cuts a long reason between two characters", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 400 }), (reason) => {
    const { header, payload } = split(encodeRefused(reason));
    ok(payload.length <= MAX_REASON_BYTES);
    const message = parseControlMessage(header.type, payload);
    ok(message?.kind === "refused" && reason.toWellFormed().startsWith(message.reason));
  }));
});

test("parseControlMessage() refuses what belongs on a session link", () => {
  for (const frame of [encodeFin(1), encodeReady(1), encodeClose(1), encodePing(1)]) {
    const { header, payload } = split(frame);
    throws(() => parseControlMessage(header.type, payload), { code: "protocol" });
  }
});

test("every cut of every frame is refused or waits", () => {
  const visitor = { host: "2001:db8::1", port: 65_535 };
  const frames = [encodeOpen(9, { protocol: "udp", visitor }), encodeCancel(1, 2), encodeAbort(1, 1), encodeDemand(3)];
  for (const frame of frames) {
    for (let end = FRAME_HEADER_BYTES; end < frame.length; end++) {
      const payload = frame.subarray(FRAME_HEADER_BYTES, end);
      if (frame[0] === FrameType.OPEN) throws(() => parseOpen(payload), { code: "protocol" });
      else throws(() => parseControlMessage(frame[0]!, payload), { code: "protocol" });
    }
  }
});

test("random bytes never throw anything but a protocol error", () => {
  fc.assert(
    fc.property(fc.nat(255), fc.uint8Array({ maxLength: 300 }), (type, bytes) => {
      const header = { type: 0, length: 0 };
      return survives(() => parseControlMessage(type, bytes)) && survives(() => parseOpen(bytes)) &&
        survives(() => parseSequence(bytes)) && survives(() => parseToken(bytes)) &&
        (bytes.length < FRAME_HEADER_BYTES || survives(() => readFrameHeader(bytes, 0, header)));
    }),
    { numRuns: 10_000 },
  );
});
