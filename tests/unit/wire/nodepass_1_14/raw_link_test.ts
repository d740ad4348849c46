import { deepEqual, equal, rejects, test } from "../../../harness.ts";
import { LinkSetup, opening, Receiver, text, turn } from "./raw_link_fixture.ts";

/** Reads all that arrives at the other end of a link until it ends. */
async function readToEnd(conn: { read(into: Uint8Array): Promise<number | null> }): Promise<string> {
  const room = new Uint8Array(1024);
  let found = "";
  for (let count = await conn.read(room); count !== null; count = await conn.read(room)) {
    found += new TextDecoder().decode(room.subarray(0, count));
  }
  return found;
}

test("RawLink.open() announces the visitor and carries both directions to their ends", async () => {
  const { link, peer, conn, announced, closed, clock } = new LinkSetup("ingress");
  const receiver = new Receiver();
  link.take();
  equal(link.state, "taken");
  const session = link.open(opening("tcp"), receiver);
  deepEqual(announced, [{ action: "tcp", remote: "10.0.0.1:5", id: "01020304" }]);
  equal(link.state, "busy");
  session.announce();
  equal(announced.length, 1);
  const buffer = text("..hello..");
  equal(await session.write(buffer, 2, 7), 5);
  await peer.write(text("welcome"));
  await session.end();
  await session.end();
  equal(await readToEnd(peer), "hello");
  equal(closed.length, 0);
  await peer.write(text(" back"));
  await peer.closeWrite();
  equal(await session.finished, null);
  deepEqual([receiver.text, receiver.ended, receiver.aborted], ["welcome back", true, null]);
  deepEqual([link.state, conn.closed, closed.map(({ code }) => code), clock.pending], ["closed", true, ["closed"], 0]);
});

test("RawLink.open() ends when the other end ends first", async () => {
  const { link, peer, closed } = new LinkSetup("ingress");
  const receiver = new Receiver();
  const session = link.open(opening("tcp"), receiver);
  await peer.write(text("bye"));
  await peer.closeWrite();
  await turn();
  deepEqual([receiver.text, receiver.ended, closed.length], ["bye", true, 0]);
  await session.write(text("late"), 0, 4);
  await session.end();
  equal(await session.finished, null);
  equal(await readToEnd(peer), "late");
});

test("RawLink.accept() gives a session the bytes that came before its signal", async () => {
  const { link, peer, closed, announced } = new LinkSetup("egress");
  await peer.write(text("early"));
  await turn();
  deepEqual([link.state, closed.length], ["idle", 0]);
  await peer.write(text(" and later"));
  await peer.closeWrite();
  await turn();
  link.take();
  const session = link.accept(opening("tcp"));
  const receiver = new Receiver();
  session.attach(receiver);
  await turn();
  deepEqual([receiver.text, receiver.ended, announced.length], ["early and later", true, 0]);
  await session.end();
  equal(await session.finished, null);
});

test("RawLink keeps an end for a visitor whose signal is under way, at the end that dials and for a second", async () => {
  const quick = new LinkSetup("egress");
  await quick.peer.closeWrite();
  await quick.clock.advanceSteps(999);
  equal(quick.link.state, "idle");
  const session = quick.link.accept(opening("tcp"));
  const receiver = new Receiver();
  session.attach(receiver);
  await turn();
  deepEqual([receiver.ended, quick.clock.pending], [true, 0]);
  await session.write(text("banner"), 0, 6);
  await session.end();
  equal(await session.finished, null);
  equal(await readToEnd(quick.peer), "banner");

  const slow = new LinkSetup("egress");
  await slow.peer.closeWrite();
  await turn();
  await slow.clock.advanceSteps(1_000);
  deepEqual([slow.link.state, slow.closed.map(({ code }) => code)], ["closed", ["connection_reset"]]);

  const ingress = new LinkSetup("ingress");
  await ingress.peer.closeWrite();
  await turn();
  deepEqual([ingress.link.state, ingress.closed.map(({ code }) => code)], ["closed", ["connection_reset"]]);
  for (const { clock, conn } of [quick, slow, ingress]) deepEqual([clock.pending, conn.closed], [0, true]);
});

test("RawLink closes a link on which bytes come that no visitor of this end asked for", async () => {
  const { link, peer, closed } = new LinkSetup("ingress");
  await peer.write(text("GET / HTTP/1.1"));
  await turn();
  deepEqual([link.state, closed.map(({ code }) => code)], ["closed", ["protocol"]]);
});

test("RawLink.release() gives a taken link back, and what happened meanwhile counts then", async () => {
  const setup = new LinkSetup("ingress");
  setup.link.release();
  equal(setup.released, 0);
  setup.link.take();
  setup.link.release();
  deepEqual([setup.released, setup.link.state], [1, "idle"]);
  setup.link.take();
  await setup.peer.closeWrite();
  await turn();
  equal(setup.link.state, "taken");
  setup.link.release();
  deepEqual([setup.released, setup.link.state, setup.closed.length], [2, "closed", 1]);
});

test("RawLink.close() ends what is on it, once", async () => {
  const idle = new LinkSetup("ingress");
  idle.link.close();
  idle.link.close();
  deepEqual([idle.closed.map(({ code }) => code), idle.conn.closed], [["closed"], true]);
  const busy = new LinkSetup("ingress");
  const receiver = new Receiver();
  const session = busy.link.open(opening("tcp"), receiver);
  busy.link.close();
  busy.link.close();
  equal(await session.finished, "link_lost");
  deepEqual([receiver.aborted, busy.closed.map(({ code }) => code)], ["link_lost", ["closed"]]);
  await turn();
  equal(busy.closed.length, 1);
});

test("RawLink that is closed gives sessions that are over", async () => {
  const { link, announced, closed } = new LinkSetup("ingress");
  link.close();
  const receiver = new Receiver();
  equal(await link.open(opening("tcp"), receiver).finished, "link_lost");
  equal(receiver.aborted, "link_lost");
  const late = new Receiver();
  const session = link.accept(opening("tcp"));
  session.attach(late);
  equal(await session.finished, "link_lost");
  deepEqual([late.aborted, announced.length, closed.length], ["link_lost", 0, 1]);
});

test("RawSession.abort() resets the link and tells the socket once", async () => {
  const { link, peer, closed } = new LinkSetup("ingress");
  const receiver = new Receiver();
  const session = link.open(opening("tcp"), receiver);
  session.abort("cut");
  session.abort("idle");
  equal(await session.finished, "cut");
  equal(receiver.aborted, "cut");
  await rejects(session.write(text("x"), 0, 1));
  equal(await peer.read(new Uint8Array(1)), null);
  deepEqual(closed.map(({ code }) => code), ["closed"]);
});

test("RawSession ends as reset when the link breaks or the socket refuses bytes", async () => {
  const broken = new LinkSetup("ingress");
  const receiver = new Receiver();
  const session = broken.link.open(opening("tcp"), receiver);
  broken.conn.close();
  equal(await session.finished, "reset");
  equal(receiver.aborted, "reset");
  const refusing = new LinkSetup("egress");
  const incoming = refusing.link.accept(opening("tcp"));
  const refuser = new Receiver();
  refuser.data = () => Promise.reject(new Error("refused"));
  incoming.attach(refuser);
  await refusing.peer.write(text("x"));
  equal(await incoming.finished, "reset");
  equal(refusing.conn.closed, true);
});

test("RawSession.end() minds no failure once the other end has ended, and any other before", async () => {
  const gone = new LinkSetup("ingress");
  const session = gone.link.open(opening("tcp"), new Receiver());
  gone.conn.closeWrite = () => Promise.reject(new Error("gone"));
  await rejects(session.end(), /gone/);
  session.abort("reset");
  const ended = new LinkSetup("ingress");
  const other = ended.link.open(opening("tcp"), new Receiver());
  ended.conn.closeWrite = () => Promise.reject(new Error("gone"));
  await ended.peer.closeWrite();
  await turn();
  await other.end();
  equal(await other.finished, null);
});

test("RawSession waits for the socket before it reads on, with buffers that grow to the limit", async () => {
  const { link, peer, conn } = new LinkSetup("ingress", 16 * 1024);
  const receiver = new Receiver();
  const gate = Promise.withResolvers<void>();
  receiver.gate = gate.promise;
  const sizes: number[] = [];
  const read = conn.read.bind(conn);
  conn.read = (into) => {
    sizes.push(into.length);
    return read(into);
  };
  const session = link.open(opening("tcp"), receiver);
  await peer.write(new Uint8Array(100_000));
  await turn();
  deepEqual(sizes, []);
  gate.resolve();
  await turn();
  await peer.closeWrite();
  await session.end();
  equal(await session.finished, null);
  equal(receiver.chunks.reduce((sum, chunk) => sum + chunk.length, 0), 100_000);
  deepEqual([...new Set(sizes)], [16 * 1024]);
});
