import fc from "fast-check";
import type { NodePassError } from "../../../src/errors.ts";
import { ControlChannel } from "../../../src/wire/secure/control_channel.ts";
import {
  type ControlMessage,
  encodeCancel,
  encodeConfig,
  encodeDemand,
  encodeGoaway,
  encodePing,
  encodePong,
  encodeRefused,
  FrameType,
  writeFrameHeader,
} from "../../../src/wire/secure/frames.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, match, ok, test } from "../../harness.ts";
import { type MemoryConn, memoryPair } from "../../memory_conn.ts";

const INTERVAL_MS = 5_000;

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** A channel and its bare other end. */
class Setup {
  readonly clock = new FakeClock();
  readonly messages: ControlMessage[] = [];
  readonly channel: ControlChannel;
  readonly peer: MemoryConn;
  readonly conn: MemoryConn;
  readonly running: Promise<void>;
  ended: NodePassError | null = null;

  constructor(onMessage?: (message: ControlMessage) => void) {
    [this.conn, this.peer] = memoryPair();
    this.channel = new ControlChannel({
      conn: this.conn,
      clock: this.clock,
      intervalMs: INTERVAL_MS,
      onMessage: onMessage ?? ((message) => this.messages.push(message)),
    });
    void this.channel.finished.then((error) => this.ended = error);
    this.running = this.channel.run();
  }

  /** Sends bytes from the other end and waits until they were read. */
  async hear(...frames: Uint8Array[]): Promise<void> {
    for (const frame of frames) await this.peer.write(frame).catch(() => {});
    await turn();
  }

  /** Frames that the channel sent, by type. */
  get sent(): number[] {
    const bytes = this.conn.sent.flatMap((written) => [...written]);
    const types: number[] = [];
    for (let at = 0; at < bytes.length; at += 4 + (bytes[at + 2]! << 8 | bytes[at + 3]!)) types.push(bytes[at]!);
    return types;
  }

  async end(): Promise<void> {
    await this.channel.close();
    await this.running;
    equal(this.clock.pending, 0);
    ok(this.conn.closed);
  }
}

function frame(type: number, payload: readonly number[], announced = payload.length): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + payload.length);
  writeFrameHeader(bytes, 0, type, announced);
  bytes.set(payload, 4);
  return bytes;
}

test("ControlChannel pings at once and at each interval, and measures the round trip", async () => {
  const setup = new Setup();
  equal(setup.channel.pingMs, 0);
  deepEqual(setup.sent, [FrameType.PING]);
  setup.clock.advance(40);
  await setup.hear(encodePong(1));
  equal(setup.channel.pingMs, 40);
  setup.clock.advance(INTERVAL_MS);
  setup.clock.advance(7);
  await setup.hear(encodePong(1));
  equal(setup.channel.pingMs, 40, "the answer to an older PING counts for nothing");
  await setup.hear(encodePong(2));
  ok(setup.channel.pingMs < INTERVAL_MS);
  await setup.end();
});

test("ControlChannel answers PING with its token", async () => {
  const setup = new Setup();
  await setup.hear(encodePing(0xfffffff0));
  deepEqual([...setup.conn.sent.at(-1)!], [...encodePong(0xfffffff0)]);
  await setup.end();
});

test("ControlChannel dies after three silent intervals and not before", async () => {
  const setup = new Setup();
  await setup.clock.advanceSteps(3 * INTERVAL_MS - 1, 1_000);
  equal(setup.ended, null);
  await setup.clock.advanceSteps(1);
  equal(setup.ended!.code, "timed_out");
  match(setup.ended!.message, /silent for 15000 ms/);
  await setup.running;
  equal(setup.clock.pending, 0);
  ok(setup.conn.closed);
});

test("ControlChannel lives as long as anything arrives", async () => {
  const setup = new Setup();
  for (let round = 0; round < 10; round++) {
    await setup.clock.advanceSteps(2 * INTERVAL_MS + 4_000, INTERVAL_MS);
    await setup.hear(frame(0x90, [1]));
  }
  equal(setup.ended, null);
  await setup.end();
});

test("ControlChannel hands messages on in order, however they are cut", async () => {
  const json = new TextEncoder().encode('{"a":1}');
  const frames = [
    encodeConfig(json),
    encodeDemand(17),
    encodePing(3),
    encodeCancel(2 ** 40 + 5, 9),
    frame(0xff, [1, 2, 3]),
    encodeGoaway(1_500),
    encodeRefused("full"),
  ];
  const all = new Uint8Array(frames.flatMap((bytes) => [...bytes]));
  const cuts = fc.array(fc.integer({ min: 1, max: all.length - 1 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(cuts, async (cuts) => {
      const setup = new Setup();
      let from = 0;
      for (const cut of [...new Set(cuts), all.length].sort((a, b) => a - b)) {
        await setup.hear(all.subarray(from, cut));
        from = cut;
      }
      deepEqual(setup.messages, [
        { kind: "config", json },
        { kind: "demand", links: 17, datagrams: 0 },
        { kind: "cancel", link: 2 ** 40 + 5, sequence: 9 },
        { kind: "goaway", drainMs: 1_500 },
        { kind: "refused", reason: "full" },
      ]);
      deepEqual(setup.sent, [FrameType.PING, FrameType.PONG]);
      await setup.end();
    }),
    { numRuns: 50 },
  );
});

test("ControlChannel gives messages that stay as they are", async () => {
  const setup = new Setup();
  const json = new TextEncoder().encode(`{"a":"${"x".repeat(400)}"}`);
  await setup.hear(encodeConfig(json));
  await setup.hear(encodeRefused("y".repeat(256)), encodeRefused("z".repeat(256)));
  const [first] = setup.messages;
  deepEqual(first, { kind: "config", json });
  await setup.end();
});

test("ControlChannel takes the largest configuration", async () => {
  const setup = new Setup();
  const json = new Uint8Array(4_096).fill(0x20);
  await setup.hear(encodeConfig(json));
  equal(setup.messages.length, 1);
  await setup.end();
});

test("ControlChannel ends at hostile frames, with an error that names them", async () => {
  for (
    const [bytes, message] of [
      [frame(FrameType.CONFIG, [], 4_097), /type 10 announces 4097 bytes, the limit is 4096/],
      [frame(0xff, [], 0xffffff), /announces 16777215 bytes/],
      [frame(FrameType.DATA, [1]), /DATA/],
      [frame(FrameType.OPEN, new Array<number>(12).fill(0)), /OPEN/],
      [frame(FrameType.READY, [0, 0, 0, 1]), /READY/],
      [frame(0x20, [1]), /unknown type 32/],
      [frame(FrameType.PING, [1]), /token/],
      [frame(FrameType.DEMAND, [1]), /DEMAND/],
      [frame(FrameType.CANCEL, new Array<number>(12).fill(0xff)), /out of range/],
      [frame(FrameType.REFUSED, new Array<number>(257).fill(0x41)), /REFUSED/],
    ] as const
  ) {
    const setup = new Setup();
    await setup.hear(bytes);
    equal(setup.ended?.code, "protocol", String(message));
    match(setup.ended!.message, message);
    deepEqual(setup.messages, []);
    await setup.end();
  }
});

test("ControlChannel ends when its owner refuses a message, and hands nothing more on", async () => {
  let heard = 0;
  const setup = new Setup(() => {
    heard++;
    throw new Error("not for me");
  });
  await setup.hear(new Uint8Array([...encodeDemand(1), ...encodeDemand(2)]));
  equal(heard, 1);
  equal(setup.ended!.message, "not for me");
  await setup.end();
});

test("ControlChannel survives random bytes: it ends with an error of its own or waits for more", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 64 }), { maxLength: 8 }), async (chunks) => {
      const setup = new Setup();
      await setup.hear(...chunks);
      ok(setup.ended === null || setup.ended.code === "protocol", setup.ended?.message);
      await setup.end();
    }),
    { numRuns: 200 },
  );
});

test("ControlChannel ends with its connection", async () => {
  const setup = new Setup();
  setup.peer.close();
  await setup.running;
  equal(setup.ended?.code, "connection_reset");
  setup.channel.send(encodeDemand(1));
  equal(setup.clock.pending, 0);
});

test("ControlChannel sends what is queued before it closes", async () => {
  const setup = new Setup();
  const gate = Promise.withResolvers<void>();
  const write = setup.conn.write.bind(setup.conn);
  setup.conn.write = async (bytes) => {
    await gate.promise;
    return await write(bytes);
  };
  setup.channel.send(encodeRefused("full"));
  setup.channel.send(encodeGoaway(5));
  const closing = setup.channel.close();
  await turn();
  equal(setup.conn.closed, false);
  gate.resolve();
  await closing;
  deepEqual(setup.sent, [FrameType.PING, FrameType.REFUSED, FrameType.GOAWAY]);
  await setup.end();
});

test("ControlChannel gives a stuck other end half a second at its close, and queues 512 KiB at most", async () => {
  const stuck = (): Setup => {
    const setup = new Setup();
    setup.conn.write = () => new Promise<number>(() => {});
    return setup;
  };
  const closing = stuck();
  closing.channel.send(encodeDemand(1));
  const closed = closing.channel.close();
  await closing.clock.advanceSteps(499);
  equal(closing.conn.closed, false);
  await closing.clock.advanceSteps(1);
  await closed;
  await closing.end();

  const full = stuck();
  await turn();
  const frame = encodeConfig(new Uint8Array(4_092));
  // The first is under way and does not count.
  for (let sent = 0; sent <= 512 * 1024; sent += frame.length) full.channel.send(frame);
  equal(full.channel.closed, false);
  full.channel.send(encodeDemand(1));
  equal(full.channel.closed, true);
  await turn();
  equal(full.ended?.code, "timed_out");
  await full.end();
});
