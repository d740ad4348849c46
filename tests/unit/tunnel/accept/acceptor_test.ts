import { deepEqual, equal, match, ok, test } from "../../../harness.ts";
import { NodePassError } from "../../../../src/errors.ts";
import type { Conn } from "../../../../src/runtime/types.ts";
import { openAcceptor } from "../../../../src/tunnel/accept/acceptor.ts";
import { FOREIGN_DELAY_MS } from "../../../../src/tunnel/accept/foreign_reports.ts";
import type { AcceptHandlers, Acceptor } from "../../../../src/tunnel/accept/types.ts";
import { MemoryConn, type MemoryPort, memoryPort, settle } from "./memory_port.ts";
import { GO_REQUEST, hello, preface, text } from "./openings.ts";

/** What the handlers were given, and what they answer. */
class Handlers implements AcceptHandlers {
  readonly hellos: Uint8Array[] = [];
  readonly prefaces: Uint8Array[] = [];
  controlAnswer: () => Promise<void> = () => Promise.resolve();
  linkAnswer: () => Promise<boolean> = () => Promise.resolve(true);
  control(_conn: Conn, hello: Uint8Array): Promise<void> {
    this.hellos.push(hello);
    return this.controlAnswer();
  }
  link(_conn: Conn, preface: Uint8Array): Promise<boolean> {
    this.prefaces.push(preface);
    return this.linkAnswer();
  }
}

async function open(query?: string): Promise<{ port: MemoryPort; handlers: Handlers; acceptor: Acceptor }> {
  const port = memoryPort(query);
  const handlers = new Handlers();
  return { port, handlers, acceptor: await openAcceptor(port.context, null, handlers) };
}

async function arrive(port: MemoryPort, bytes: Uint8Array, host = "192.0.2.1"): Promise<MemoryConn> {
  const conn = new MemoryConn(host);
  if (bytes.length > 0) conn.send(bytes);
  port.listener.push(conn);
  await settle();
  return conn;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

test("openAcceptor hands on complete openings and consumes nothing behind them", async () => {
  const { port, handlers, acceptor } = await open();
  const control = await arrive(port, joined(hello(), text("frames")));
  const link = await arrive(port, joined(preface(7), text("frames")));
  deepEqual(handlers.hellos, [hello()]);
  deepEqual(handlers.prefaces, [preface(7)]);
  deepEqual([control.unread, link.unread], [6, 6]);
  equal(acceptor.pending, 0);
  port.clock.advance(60_000);
  acceptor.close();
  ok(!control.closed && !link.closed);
  equal(port.clock.pending, 0);
});

test("openAcceptor puts an opening together from single bytes", async () => {
  const { port, handlers, acceptor } = await open();
  const conn = await arrive(port, new Uint8Array(0));
  for (const byte of preface(3)) {
    conn.send(Uint8Array.of(byte));
    await settle();
  }
  deepEqual(handlers.prefaces, [preface(3)]);
  acceptor.close();
});

test("openAcceptor closes after the handshake timeout, however slowly bytes come", async () => {
  const { port, acceptor } = await open();
  const silent = await arrive(port, new Uint8Array(0));
  const slow = await arrive(port, new Uint8Array(0));
  for (const byte of preface().subarray(0, 4)) {
    slow.send(Uint8Array.of(byte));
    await port.clock.advanceSteps(1_000);
  }
  ok(!silent.closed && !slow.closed);
  await port.clock.advanceSteps(1_000);
  ok(silent.closed && slow.closed);
  equal(acceptor.pending, 0);
  equal(acceptor.refusals.timeout, 2);
  acceptor.close();
});

test("openAcceptor counts the TLS handshake and the control handshake into the same time", async () => {
  const { port, handlers, acceptor } = await open();
  const stuck = new MemoryConn("192.0.2.1");
  stuck.handshake = () => new Promise(() => {});
  port.listener.push(stuck);
  let hang = (): void => {};
  handlers.controlAnswer = () => new Promise((resolve) => hang = resolve);
  const control = await arrive(port, hello());
  equal(acceptor.pending, 2);
  await port.clock.advanceSteps(5_000);
  ok(stuck.closed && control.closed);
  equal(acceptor.pending, 0);
  hang();
  await settle();
  equal(acceptor.refusals.timeout, 2);
  acceptor.close();
});

test("openAcceptor accepts on while a handshake hangs", async () => {
  const { port, handlers, acceptor } = await open();
  const stuck = new MemoryConn("192.0.2.1");
  stuck.handshake = () => new Promise(() => {});
  port.listener.push(stuck);
  await arrive(port, preface());
  equal(handlers.prefaces.length, 1);
  acceptor.close();
});

test("openAcceptor holds 16 of a source and 256 in all, and lets a newcomer in", async () => {
  const { port, handlers, acceptor } = await open();
  const conns: MemoryConn[] = [];
  for (let index = 0; index < 100; index++) conns.push(new MemoryConn("192.0.2.1"));
  for (let index = 0; index < 1_900; index++) conns.push(new MemoryConn(`198.51.${index % 100}.7`));
  port.listener.push(...conns);
  for (let turn = 0; turn < 20 && acceptor.refusals.evicted < 2_000 - 256; turn++) await settle();
  equal(acceptor.pending, 256);
  equal(conns.filter((conn) => !conn.closed).length, 256);
  await arrive(port, preface(), "203.0.113.9");
  equal(handlers.prefaces.length, 1);
  await port.clock.advanceSteps(5_000);
  equal(conns.filter((conn) => !conn.closed).length, 0);
  equal(acceptor.pending, 0);
  acceptor.close();
});

test("openAcceptor raises the cap of a source with a control channel", async () => {
  const { port, acceptor } = await open();
  const release = acceptor.vouch("192.0.2.1");
  for (let index = 0; index < 140; index++) port.listener.push(new MemoryConn("192.0.2.1"));
  for (let turn = 0; turn < 5; turn++) await settle();
  equal(acceptor.pending, 128);
  equal(acceptor.refusals.evicted, 12);
  release();
  acceptor.close();
});

test("openAcceptor exempts trusted proxies from the cap of a source", async () => {
  const { port, acceptor } = await open("tls=0&trusted=192.0.2.0/24");
  for (let index = 0; index < 200; index++) port.listener.push(new MemoryConn("192.0.2.1"));
  for (let turn = 0; turn < 5; turn++) await settle();
  equal(acceptor.pending, 200);
  acceptor.close();
});

test("openAcceptor refuses a source after 20 bad openings, and no other", async () => {
  const { port, handlers, acceptor } = await open();
  const noise = Uint8Array.from({ length: 200 }, (_, index) => 0x80 + index % 100);
  for (let index = 0; index < 20; index++) {
    const conn = await arrive(port, noise);
    ok(conn.closed);
    ok(conn.taken <= 128);
  }
  ok((await arrive(port, preface())).closed);
  equal(acceptor.refusals.bad, 20);
  equal(acceptor.refusals.refused, 1);
  equal(handlers.prefaces.length, 0);
  await arrive(port, preface(), "192.0.2.2");
  equal(handlers.prefaces.length, 1);
  await port.clock.advanceSteps(10_000);
  await arrive(port, preface());
  equal(handlers.prefaces.length, 2);
  equal(port.logger.of("warn").filter((line) => line.startsWith("Source refused")).length, 1);
  acceptor.close();
});

test("openAcceptor does not cut off a client behind the address of an attacker", async () => {
  const { port, handlers, acceptor } = await open();
  const release = acceptor.vouch("192.0.2.1");
  for (let index = 0; index < 200; index++) await arrive(port, text("\u0001".repeat(8)));
  await arrive(port, preface());
  release();
  for (let index = 0; index < 50; index++) await arrive(port, text("\u0001".repeat(8)));
  await arrive(port, hello());
  equal(handlers.prefaces.length, 1);
  equal(handlers.hellos.length, 1);
  acceptor.close();
});

test("openAcceptor counts refused links and failed proofs, not links of an unknown client", async () => {
  const { port, handlers, acceptor } = await open();
  handlers.linkAnswer = () => Promise.resolve(false);
  ok((await arrive(port, preface())).closed);
  handlers.linkAnswer = () => Promise.reject(new NodePassError("protocol", "Link counter was used before"));
  ok((await arrive(port, preface())).closed);
  handlers.controlAnswer = () => Promise.reject(new NodePassError("wrong_key", "Client could not prove the key"));
  ok((await arrive(port, hello())).closed);
  equal(acceptor.refusals.bad, 3);
  handlers.linkAnswer = () => Promise.reject(new NodePassError("not_found", "No such client"));
  ok((await arrive(port, preface())).closed);
  equal(acceptor.refusals.bad, 3);
  equal(acceptor.refusals.broken, 1);
  acceptor.close();
});

test("openAcceptor says what to set when another protocol arrives, once, without a strike or an answer", async () => {
  for (
    const [bytes, hint] of [
      [Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3), /tls=1/],
      [text(GO_REQUEST), /wire=1\.14/],
      [text("GET /tunnel HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"), /type=2/],
    ] as const
  ) {
    const { port, acceptor } = await open();
    for (let index = 0; index < 40; index++) ok((await arrive(port, bytes)).closed);
    await port.clock.advanceSteps(FOREIGN_DELAY_MS);
    equal(acceptor.refusals.foreign, 40);
    equal(acceptor.refusals.bad, 0);
    const warnings = port.logger.of("warn");
    equal(warnings.length, 1);
    match(warnings[0]!, hint);
    acceptor.close();
  }
});

test("openAcceptor says nothing about a client that found the right TLS mode by itself", async () => {
  const { port, acceptor } = await open();
  const tlsHello = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3);
  // The second one comes from an address where the first one is at home.
  for (let client = 0; client < 2; client++) {
    await arrive(port, tlsHello);
    acceptor.vouch("192.0.2.1");
    await port.clock.advanceSteps(FOREIGN_DELAY_MS);
    deepEqual(port.logger.of("warn"), []);
  }
  await arrive(port, tlsHello);
  await port.clock.advanceSteps(FOREIGN_DELAY_MS);
  equal(port.logger.of("warn").length, 1);
  acceptor.close();
});

test("openAcceptor reports a peer without TLS on a TLS port, not a failed TLS handshake", async () => {
  for (
    const [message, warnings] of [
      ["received corrupt message of type InvalidContentType", 1],
      ["http request", 1],
      ["wrong version number", 1],
      ["received fatal alert: UnknownCA", 0],
    ] as const
  ) {
    const { port, acceptor } = await open();
    const conn = new MemoryConn("192.0.2.1");
    conn.handshake = () => Promise.reject(new NodePassError("protocol", message));
    port.listener.push(conn);
    await settle();
    ok(conn.closed);
    acceptor.close();
    equal(port.logger.of("warn").length, warnings);
    equal(acceptor.refusals.bad, 0);
  }
});

test("openAcceptor writes at most 10 lines a second about strangers, and how many it left out", async () => {
  const { port, handlers, acceptor } = await open();
  handlers.controlAnswer = () => Promise.reject(new NodePassError("wrong_key", "Client could not prove the key"));
  for (let index = 0; index < 300; index++) port.listener.push(withBytes(`192.0.2.${index % 250}`, hello()));
  for (let turn = 0; turn < 10; turn++) await settle();
  ok(port.logger.lines.length <= 10);
  port.clock.advance(1_000);
  port.listener.push(withBytes("192.0.2.251", hello()));
  await settle();
  const [summary, last] = port.logger.lines.slice(-2);
  match(summary!.message, /left out/);
  equal(last!.fields["reason"], "Client could not prove the key");
  acceptor.close();
});

test("openAcceptor closes what is pending and its listener, once", async () => {
  const { port, acceptor } = await open();
  const conn = await arrive(port, new Uint8Array(0));
  acceptor.close();
  acceptor.close();
  await settle();
  ok(conn.closed && port.listener.closed);
  equal(acceptor.pending, 0);
  equal(port.clock.pending, 0);
  deepEqual(port.logger.lines, []);
});

function withBytes(host: string, bytes: Uint8Array): MemoryConn {
  const conn = new MemoryConn(host);
  conn.send(bytes);
  return conn;
}
