import fc from "fast-check";
import { encodeFin, encodeOpen, encodeReady, FrameType, writeFrameHeader } from "../../../src/wire/secure/frames.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, match, ok, test } from "../../harness.ts";
import { memoryPair } from "../../memory_conn.ts";
import { linkOn, opening, pair, Recorder, send, settle } from "./frame_link_fixture.ts";

test("FrameLink carries a session both ways, ends it and serves the next visitor", async () => {
  const { ingress, egress, a } = pair();
  for (let round = 1; round <= 3; round++) {
    const receiver = new Recorder();
    const session = ingress.link.open(opening, receiver);
    await send(session, [1, 2, round]);
    await settle();
    const other = egress.told.sessions.at(-1)!;
    deepEqual(other.session.opening, opening);
    deepEqual(other.receiver.bytes, [1, 2, round]);
    await send(other.session, [9, round]);
    await session.end();
    await settle();
    ok(other.receiver.ended);
    await other.session.end();
    await settle();
    deepEqual(receiver.bytes, [9, round]);
    equal(await session.finished, null);
    equal(await other.session.finished, null);
    equal(ingress.link.state, "ready");
    equal(egress.link.state, "ready");
    equal(ingress.told.ready, round);
  }
  ingress.link.close();
  await Promise.all([ingress.running, egress.running]);
  ok(a.closed);
});

test("FrameLink sends OPEN in the same write as the first bytes", async () => {
  const { ingress, egress, a } = pair();
  const session = ingress.link.open(opening, new Recorder());
  const before = a.sent.length;
  await send(session, [7]);
  session.announce();
  await settle();
  equal(a.sent.length, before + 1);
  equal(a.sent.at(-1)![0], FrameType.OPEN);
  deepEqual(egress.told.sessions[0]!.receiver.bytes, [7]);
  ingress.link.close();
  await Promise.all([ingress.running, egress.running]);
});

test("FrameSession.announce lets a target speak first", async () => {
  const { ingress, egress } = pair();
  const receiver = new Recorder();
  ingress.link.open(opening, receiver).announce();
  await settle();
  await send(egress.told.sessions[0]!.session, [5, 6]);
  await settle();
  deepEqual(receiver.bytes, [5, 6]);
  ingress.link.close();
  await Promise.all([ingress.running, egress.running]);
});

test("FrameSession.abort reaches the other end with its reason and the link is used again", async () => {
  const { ingress, egress } = pair();
  const receiver = new Recorder();
  const session = ingress.link.open(opening, receiver);
  await send(session, [1]);
  await settle();
  const other = egress.told.sessions[0]!;
  other.session.abort("dial");
  await settle();
  equal(receiver.aborted, "dial");
  equal(await session.finished, "dial");
  equal(other.receiver.aborted, "dial");
  equal(ingress.link.state, "ready");
  equal(egress.link.state, "ready");
  ingress.link.close();
  await Promise.all([ingress.running, egress.running]);
});

test("FrameSession.abort before OPEN leaves the link untouched", async () => {
  const { ingress, egress } = pair();
  const session = ingress.link.open(opening, new Recorder());
  session.abort("cut");
  await settle();
  equal(await session.finished, "cut");
  equal(ingress.link.state, "ready");
  // Whoever opened it may not have heard of its end yet.
  session.announce();
  await settle();
  equal(egress.told.sessions.length, 0);
  const next = ingress.link.open(opening, new Recorder());
  await send(next, [3]);
  await settle();
  deepEqual(egress.told.sessions[0]!.receiver.bytes, [3]);
  ingress.link.close();
  await Promise.all([ingress.running, egress.running]);
});

test("FrameLink aborts a session whose socket refuses bytes and drops what still comes", async () => {
  const { ingress, egress } = pair();
  const session = ingress.link.open(opening, new Recorder());
  await send(session, [1]);
  await settle();
  const other = egress.told.sessions[0]!;
  other.receiver.failWrites = true;
  await send(session, [2]);
  await settle();
  equal(await session.finished, "reset");
  equal(await other.session.finished, "reset");
  equal(ingress.link.state, "ready");
  ingress.link.close();
  await Promise.all([ingress.running, egress.running]);
});

test("FrameLink orphans a session that was never acknowledged and sent nothing, and another link adopts it", async () => {
  const first = pair();
  const second = pair();
  const receiver = new Recorder();
  const session = first.ingress.link.open(opening, receiver);
  session.announce();
  first.b.close();
  await settle();
  deepEqual(first.ingress.told.orphans, [session]);
  second.ingress.link.adopt(session);
  await send(session, [4]);
  await settle();
  deepEqual(second.egress.told.sessions[0]!.receiver.bytes, [4]);
  second.ingress.link.close();
  await Promise.all([first.ingress.running, second.ingress.running, second.egress.running]);
});

test("FrameLink never moves a session of which bytes were sent", async () => {
  const { ingress, b } = pair();
  const receiver = new Recorder();
  const session = ingress.link.open(opening, receiver);
  await send(session, [4]);
  b.close();
  await settle();
  equal(ingress.told.orphans.length, 0);
  equal(await session.finished, "link_lost");
  equal(receiver.aborted, "link_lost");
  await ingress.running;
});

test("FrameLink closes a link whose OPEN nobody acknowledged within 2 s", async () => {
  const clock = new FakeClock();
  const [a] = memoryPair();
  const { link, told, running } = linkOn(a, "ingress", clock);
  const session = link.open(opening, new Recorder());
  session.announce();
  for (let second = 1; second <= 3 && link.state !== "closed"; second++) {
    clock.advance(1000);
    link.tick(clock.now(), null);
    await settle();
  }
  ok(clock.now() <= 2000);
  deepEqual(told.orphans, [session]);
  match(told.error ?? "", /silent for 2000 ms/);
  await running;
});

test("FrameLink pings a silent link after 10 s and closes it 5 s later", async () => {
  const clock = new FakeClock();
  const [a] = memoryPair();
  const { link, told, running } = linkOn(a, "ingress", clock);
  for (let second = 1; second <= 15; second++) {
    clock.advance(1000);
    link.tick(clock.now(), null);
    await settle();
    equal(a.sent.length, second < 10 ? 0 : 1);
  }
  equal(a.sent[0]![0], FrameType.PING);
  equal(link.state, "closed");
  match(told.error ?? "", /silent for 15000 ms/);
  await running;
});

test("FrameLink keeps a quiet link alive: PING is answered", async () => {
  const { clock, ingress, egress } = pair();
  for (let second = 1; second <= 60; second++) {
    clock.advance(1000);
    ingress.link.tick(clock.now(), null);
    egress.link.tick(clock.now(), null);
    await settle();
  }
  equal(ingress.link.state, "ready");
  equal(egress.link.state, "ready");
  ingress.link.close();
  await Promise.all([ingress.running, egress.running]);
});

test("FrameLink that waits for a stalled socket says so, and its other end keeps the link", async () => {
  const { clock, ingress, egress } = pair();
  let release = (): void => {};
  const receiver = new Recorder();
  receiver.data = () => new Promise<void>((resolve) => release = resolve);
  const session = ingress.link.open(opening, receiver);
  await send(session, [1]);
  await settle();
  await send(egress.told.sessions[0]!.session, [2]);
  for (let second = 1; second <= 60; second++) {
    clock.advance(1000);
    ingress.link.tick(clock.now(), null);
    egress.link.tick(clock.now(), null);
    await settle();
  }
  equal(egress.link.state, "busy");
  release();
  ingress.link.close();
  await Promise.all([ingress.running, egress.running]);
});

test("FrameLink cancels an aborted session that its other end does not let go", async () => {
  const clock = new FakeClock();
  const [a] = memoryPair();
  const { link, told, running } = linkOn(a, "ingress", clock);
  const session = link.open(opening, new Recorder());
  await send(session, [1]);
  session.abort("cut");
  clock.advance(3000);
  link.tick(clock.now(), null);
  deepEqual(told.cancels, [1]);
  equal(link.state, "closed");
  equal(await session.finished, "cut");
  await running;
});

test("FrameLink answers a small read at once when its other end delays small writes", async () => {
  const clock = new FakeClock();
  const [a, b] = memoryPair();
  const ingress = linkOn(a, "ingress", clock);
  const egress = linkOn(b, "egress", clock, true);
  const session = ingress.link.open(opening, new Recorder());
  await send(session, [1]);
  await settle();
  equal(b.sent.length, 1);
  equal(b.sent[0]![0], FrameType.PONG);
  ingress.link.close();
  await Promise.all([ingress.running, egress.running]);
});

test("FrameLink hands on the parts of a frame together while they come fast, and at once when they come slowly", async () => {
  const { ingress, egress, a, clock } = pair();
  const session = ingress.link.open(opening, new Recorder());
  await send(session, [1]);
  await settle();
  const { receiver } = egress.told.sessions[0]!;
  await a.write(Uint8Array.of(FrameType.DATA, 0, 0, 4, 2));
  await settle();
  deepEqual(receiver.bytes, [1]);
  await a.write(Uint8Array.of(3));
  await settle();
  deepEqual(receiver.bytes, [1]);
  clock.advance(20);
  await a.write(Uint8Array.of(4));
  await settle();
  deepEqual(receiver.bytes, [1, 2, 3, 4]);
  await a.write(Uint8Array.of(5));
  await settle();
  deepEqual(receiver.bytes, [1, 2, 3, 4, 5]);
  equal(egress.told.error, null);
  ingress.link.close();
  await Promise.all([ingress.running, egress.running]);
});

const dataFrame = (length: number): Uint8Array => {
  const frame = new Uint8Array(4 + Math.min(length, 16));
  writeFrameHeader(frame, 0, FrameType.DATA, length);
  return frame;
};

const breaches: readonly (readonly [string, "ingress" | "egress", Uint8Array[], RegExp])[] = [
  ["DATA without a session", "egress", [dataFrame(3)], /DATA outside a session/],
  [
    "a DATA frame above the limit",
    "egress",
    [encodeOpen(1, opening), dataFrame(1_048_577)],
    /1048577 bytes, the limit/,
  ],
  ["OPEN at the ingress end", "ingress", [encodeOpen(1, opening)], /OPEN 1 on a ready link/],
  ["OPEN with another sequence", "egress", [encodeOpen(2, opening)], /OPEN 2 on a ready link that expects 1/],
  ["a second OPEN", "egress", [encodeOpen(1, opening), encodeOpen(2, opening)], /OPEN 2 on a busy link/],
  ["FIN of another session", "egress", [encodeOpen(1, opening), encodeFin(7)], /FIN 7, which is not the session/],
  ["two FINs", "egress", [encodeOpen(1, opening), encodeFin(1), encodeFin(1)], /FIN 1, which is not the session/],
  ["DATA after FIN", "egress", [encodeOpen(1, opening), encodeFin(1), dataFrame(1)], /DATA outside a session/],
  ["READY out of turn", "ingress", [encodeReady(0)], /READY 0 on a ready link/],
  ["an unknown critical type", "egress", [Uint8Array.of(0x55, 0, 0, 0)], /type 85/],
];

for (const [what, end, frames, expected] of breaches) {
  test(`FrameLink ends at ${what}`, async () => {
    const clock = new FakeClock();
    const [a, b] = memoryPair();
    const { told, running } = linkOn(a, end, clock);
    for (const frame of frames) await b.write(frame);
    await running;
    match(told.error ?? "", expected);
    ok(a.closed);
  });
}

test("FrameLink skips unknown types that may be skipped", async () => {
  const clock = new FakeClock();
  const [a, b] = memoryPair();
  const { link, told, running } = linkOn(a, "egress", clock);
  await b.write(Uint8Array.of(0x90, 0, 0, 2, 1, 2));
  await b.write(encodeOpen(1, opening));
  await settle();
  equal(told.sessions.length, 1);
  link.close();
  await running;
});

test("FrameLink takes frames cut anywhere", async () => {
  const stream = [
    ...encodeOpen(1, opening),
    ...[2, 0, 0, 3, 10, 11, 12],
    ...[2, 0, 0, 0],
    ...[2, 0, 0, 1, 13],
    ...encodeFin(1),
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(stream.length), { maxLength: 12 }), async (cuts) => {
      const clock = new FakeClock();
      const [a, b] = memoryPair();
      const { link, told, running } = linkOn(a, "egress", clock);
      const edges = [...new Set([0, ...cuts, stream.length])].sort((x, y) => x - y);
      for (let i = 1; i < edges.length; i++) {
        await b.write(Uint8Array.from(stream.slice(edges[i - 1], edges[i])));
        await settle();
      }
      deepEqual(told.sessions[0]?.receiver.bytes, [10, 11, 12, 13]);
      ok(told.sessions[0]?.receiver.ended);
      link.close();
      await running;
    }),
    { numRuns: 60 },
  );
});

test("FrameLink survives random bytes: it ends with an error of its own", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
      const clock = new FakeClock();
      const [a, b] = memoryPair();
      const { told, running } = linkOn(a, "egress", clock);
      await b.write(bytes);
      b.close();
      await running;
      ok(told.error !== null);
    }),
    { numRuns: 500 },
  );
});
