import { deepEqual, equal, test } from "../../harness.ts";
import { FrameType } from "../../../src/wire/secure/frames.ts";
import { settle } from "../wire/frame_link_fixture.ts";
import { IngressSide, POOL_GET_MS } from "./session_sides.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

test("Ingress carries a visitor over a link and back, and the link serves the next one", async () => {
  const side = new IngressSide();
  const { told, link } = side.addLiveLink();
  for (const value of [1, 2]) {
    const { visitor, ended } = side.visit();
    await visitor.write(bytes(value));
    await visitor.closeWrite();
    await side.pass(1);
    const { session, receiver } = told.sessions.at(-1)!;
    deepEqual([receiver.bytes, receiver.ended], [[value], true]);
    await session.end();
    equal(await ended, "done");
    await settle();
    deepEqual([link.state, side.links.ready], ["ready", 1]);
  }
  await side.end();
});

test("Ingress leaves no timer of a session that is over before the clock has moved", async () => {
  const side = new IngressSide();
  const { told } = side.addLiveLink();
  const { visitor, ended } = side.visit();
  await visitor.write(bytes(7));
  await settle();
  told.sessions[0]!.session.abort("reset");
  equal(await ended, "reset");
  equal(await visitor.read(bytes(0)), null);
  await side.end();
});

test("Ingress gives a link back that comes for a visitor who was cut while waiting", async () => {
  const side = new IngressSide();
  const { visitor, session, ended } = side.visit();
  await settle();
  session.cut();
  equal(await visitor.read(bytes(0)), null);
  const { told } = side.addLiveLink();
  equal(await ended, "cut");
  await side.pass(1);
  deepEqual([side.links.ready, side.links.busy, told.sessions.length], [1, 0, 0]);
  await side.end();
});

test("Ingress turns a visitor away for whom no link comes in time, and counts it", async () => {
  const side = new IngressSide();
  const { visitor, ended } = side.visit();
  await side.pass(POOL_GET_MS - 1);
  equal(side.owned.context.ledger.tcp, 1);
  await side.pass(1);
  equal(await ended, "no_link");
  equal(await visitor.read(bytes(0)), null);
  deepEqual(side.owned.context.ledger.rejections, { no_link: 1 });
  await side.end();
});

test("Ingress moves a session whose link dies before anything was heard, and delivers it once", async () => {
  const side = new IngressSide();
  side.addLink();
  const { visitor, ended } = side.visit();
  await side.pass(1);
  const { told } = side.addLiveLink();
  await side.pass(3_000, 500);
  deepEqual(side.framesOn(0), [FrameType.OPEN, FrameType.PING]);
  equal(told.sessions.length, 1);
  await visitor.write(bytes(7, 8));
  await visitor.closeWrite();
  await settle();
  deepEqual(told.sessions[0]!.receiver.bytes, [7, 8]);
  await told.sessions[0]!.session.end();
  equal(await ended, "done");
  await side.end();
});

test("Ingress ends a session whose link dies with bytes of the visitor on it, and tells nobody else of it", async () => {
  const side = new IngressSide();
  side.addLink();
  const { visitor, ended } = side.visit();
  await visitor.write(bytes(7, 8));
  await side.pass(1);
  const { told } = side.addLiveLink();
  await side.pass(3_000, 500);
  deepEqual(side.framesOn(0), [FrameType.OPEN, FrameType.DATA, FrameType.PING]);
  equal(await ended, "link_lost");
  equal(await visitor.read(bytes(0)), null);
  equal(told.sessions.length, 0);
  await side.end();
});

test("Ingress gives a link back that comes for a session that was cut while it moved", async () => {
  const side = new IngressSide();
  side.addLink();
  const { visitor, session, ended } = side.visit();
  await side.pass(1);
  await side.pass(3_000, 500);
  equal(side.matchmaker.waiting, 1);
  session.cut();
  equal(await ended, "cut");
  equal(await visitor.read(bytes(0)), null);
  const { told } = side.addLiveLink();
  await side.pass(1);
  deepEqual([side.matchmaker.waiting, side.links.ready, told.sessions.length], [0, 1, 0]);
  await side.end();
});

test("Ingress ends a session for which no other link comes", async () => {
  for (const closing of [false, true]) {
    const side = new IngressSide();
    side.addLink();
    const { visitor, ended } = side.visit();
    await side.pass(1);
    // A tunnel that closes lets nobody wait any more.
    if (closing) side.matchmaker.close();
    await side.pass(3_000, 500);
    if (!closing) await side.pass(POOL_GET_MS);
    equal(await ended, "link_lost");
    equal(await visitor.read(bytes(0)), null);
    await side.end();
  }
});

test("Ingress passes on that the target was reset", async () => {
  const side = new IngressSide();
  const { told } = side.addLiveLink();
  const { visitor, ended } = side.visit();
  await side.pass(1);
  told.sessions[0]!.session.abort("reset");
  equal(await ended, "reset");
  equal(await visitor.read(bytes(0)), null);
  await settle();
  equal(side.links.ready, 1);
  await side.end();
});
