import { deepEqual, equal, test } from "../../../harness.ts";
import { Datagrams, LinkSetup, opening, text, turn } from "./raw_link_fixture.ts";

function lengths(parts: readonly Uint8Array[]): number[] {
  return parts.map((part) => part.length);
}

test("RawLink.openDatagrams() announces the visitor; each datagram is one write, each read one datagram", async () => {
  const { link, peer, conn, announced, closed } = new LinkSetup("ingress");
  const receiver = new Datagrams();
  link.take();
  const wire = link.openDatagrams(opening("udp"), receiver);
  deepEqual(announced, [{ action: "udp", remote: "10.0.0.1:5", id: "01020304" }]);
  const reused = new Uint8Array(3);
  for (let i = 1; i <= 3; i++) wire.send(reused.fill(i));
  wire.send(new Uint8Array(0));
  await turn();
  deepEqual(conn.sent, [1, 2, 3].map((i) => new Uint8Array(3).fill(i)));
  for (const size of [1, 1_200, 65_507, 2]) {
    await peer.write(new Uint8Array(size));
    await turn();
  }
  deepEqual(lengths(receiver.received), [1, 1_200, 65_507, 2]);
  wire.close();
  wire.close();
  wire.send(text("late"));
  await turn();
  deepEqual([receiver.isClosed, closed.map(({ code }) => code), conn.closed, conn.sent.length], [
    0,
    ["closed"],
    true,
    3,
  ]);
});

test("RawLink.acceptDatagrams() gives what came before its signal, and ends with the other end", async () => {
  const { link, peer, conn, closed } = new LinkSetup("egress");
  await peer.write(text("first"));
  await turn();
  link.take();
  const wire = link.acceptDatagrams(opening("udp"));
  const receiver = new Datagrams();
  wire.attach(receiver);
  await turn();
  deepEqual(receiver.received, [text("first")]);
  wire.send(text("answer"));
  await turn();
  deepEqual(conn.sent, [text("answer")]);
  await peer.closeWrite();
  await turn();
  deepEqual([receiver.isClosed, closed.map(({ code }) => code), conn.closed], [1, ["closed"], true]);
});

test("RawDatagrams puts a first datagram together that is larger than the first buffer", async () => {
  for (const size of [4_097, 20_000, 65_507]) {
    const { link, peer, clock } = new LinkSetup("egress");
    await peer.write(new Uint8Array(size).fill(7));
    await turn();
    const wire = link.acceptDatagrams(opening("udp"));
    const receiver = new Datagrams();
    wire.attach(receiver);
    await turn();
    deepEqual(receiver.received, [new Uint8Array(size).fill(7)]);
    wire.close();
    await turn();
    equal(clock.pending, 0);
  }
});

test("RawDatagrams does not hold a first datagram that just fills the first buffer", async () => {
  const { link, peer, clock } = new LinkSetup("egress");
  await peer.write(new Uint8Array(4_096).fill(1));
  await turn();
  const wire = link.acceptDatagrams(opening("udp"));
  const receiver = new Datagrams();
  wire.attach(receiver);
  await turn();
  deepEqual(receiver.received, []);
  await clock.advanceSteps(20);
  deepEqual(lengths(receiver.received), [4_096]);
  await peer.write(text("second"));
  await turn();
  await peer.write(text("third"));
  await turn();
  deepEqual(receiver.received.slice(1), [text("second"), text("third")]);
  await peer.closeWrite();
  await turn();
  deepEqual([receiver.isClosed, clock.pending], [1, 0]);
});

test("RawDatagrams drops and counts what the link cannot take", async () => {
  const setup = new LinkSetup("ingress");
  const { link, conn } = setup;
  const first = Promise.withResolvers<void>();
  const write = conn.write.bind(conn);
  conn.write = (bytes) => first.promise.then(() => write(bytes));
  const wire = link.openDatagrams(opening("udp"), new Datagrams());
  for (let i = 0; i < 2_000; i++) wire.send(Uint8Array.of(1));
  equal(setup.dropped, 2_000 - 1_024 - 1);
  first.resolve();
  await turn();
  equal(conn.sent.length, 1_025);
  conn.write = () => new Promise(() => {});
  wire.send(new Uint8Array(60_000));
  for (let i = 0; i < 20; i++) wire.send(new Uint8Array(60_000));
  equal(setup.dropped, 2_000 - 1_024 - 1 + 12);
  wire.close();
});

test("RawDatagrams is over when a write fails, the link is closed, or was closed before", async () => {
  const failing = new LinkSetup("ingress");
  failing.conn.write = () => Promise.reject(new Error("gone"));
  const receiver = new Datagrams();
  failing.link.openDatagrams(opening("udp"), receiver).send(text("x"));
  await turn();
  const closing = new LinkSetup("ingress");
  const other = new Datagrams();
  closing.link.openDatagrams(opening("udp"), other);
  closing.link.close();
  await turn();
  const closed = new LinkSetup("egress");
  closed.link.close();
  const last = new Datagrams();
  closed.link.acceptDatagrams(opening("udp")).attach(last);
  deepEqual([receiver.isClosed, other.isClosed, last.isClosed], [1, 1, 1]);
  for (const { closed: ends } of [failing, closing, closed]) equal(ends.length, 1);
});
