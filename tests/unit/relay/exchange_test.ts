import { exchange, type ExchangeEnd, type ExchangeOptions } from "../../../src/relay/exchange.ts";
import { IdleSweeper } from "../../../src/relay/idle_sweeper.ts";
import { Meter, Traffic } from "../../../src/relay/meter.ts";
import { sniff } from "../../../src/relay/sniff.ts";
import { TokenBucket } from "../../../src/relay/token_bucket.ts";
import type { Conn } from "../../../src/runtime/types.ts";
import { FakeClock } from "../../fake_clock.ts";
import { equal, ok, test } from "../../harness.ts";
import { type MemoryConn, memoryPair } from "../../memory_conn.ts";

/** A running exchange: `client` and `server` are the far ends. */
interface Running {
  readonly client: MemoryConn;
  readonly server: MemoryConn;
  readonly near: readonly MemoryConn[];
  readonly session: { meter: Meter; cut: () => void };
  readonly traffic: Traffic;
  readonly clock: FakeClock;
  readonly end: Promise<ExchangeEnd>;
}

function running(
  change: (clock: FakeClock) => Partial<ExchangeOptions> = () => ({}),
  wrap: (visitor: Conn) => Conn = (visitor) => visitor,
): Running {
  const clock = new FakeClock();
  const traffic = new Traffic();
  const session = { meter: new Meter(traffic, "tcp"), cut: () => {} };
  const [visitor, client] = memoryPair();
  const [target, server] = memoryPair();
  const end = exchange(wrap(visitor), target, {
    session,
    clock,
    maxBufferBytes: 1024 * 1024,
    inbound: null,
    outbound: null,
    sweeper: new IdleSweeper(clock),
    idleMs: 0,
    ...change(clock),
  });
  return { client, server, near: [visitor, target], session, traffic, clock, end };
}

function bytes(length: number): Uint8Array {
  return new Uint8Array(length).fill(7);
}

test("exchange counts once, at the target's socket", async () => {
  const { client, server, session, traffic, end, near } = running();
  await client.write(bytes(300));
  await client.closeWrite();
  await server.write(bytes(5));
  await server.closeWrite();
  equal(await end, "done");
  equal(`${session.meter.tx} ${session.meter.rx}`, "300 5");
  equal(`${traffic.tcpTx} ${traffic.tcpRx}`, "300 5");
  ok(near.every((conn) => conn.closed));
});

test("exchange ends an idle session, counting both directions together", async () => {
  const { server, clock, end, near } = running((clock) => ({ sweeper: new IdleSweeper(clock), idleMs: 10_000 }));
  for (let i = 0; i < 5; i++) {
    await clock.advanceSteps(8_000, 1_000);
    await server.write(bytes(1));
  }
  ok(near.every((conn) => !conn.closed));
  await clock.advanceSteps(13_000, 1_000);
  equal(await end, "idle");
  ok(near.every((conn) => conn.closed));
  equal(clock.pending, 0);
});

test("exchange ends at once when it is cut while its rate limit makes it wait", async () => {
  const { client, session, end } = running((clock) => ({ outbound: new TokenBucket(clock, 1000) }));
  await client.write(bytes(10_000));
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  session.cut();
  equal(await end, "cut");
});

test("exchange delays each direction by its own bucket and drops nothing", async () => {
  const { client, server, clock, end, session } = running((clock) => ({
    inbound: new TokenBucket(clock, 10_000),
    outbound: new TokenBucket(clock, 100_000),
  }));
  await client.write(bytes(100_000));
  await client.closeWrite();
  await server.write(bytes(100_000));
  await server.closeWrite();
  await clock.advanceSteps(1_100, 20);
  equal(session.meter.tx, 100_000);
  ok(session.meter.rx <= 13_000, String(session.meter.rx));
  await clock.advanceSteps(10_000, 50);
  equal(await end, "done");
  equal(session.meter.rx, 100_000);
  equal(clock.pending, 0);
});

test("exchange passes nothing of a blocked protocol on and closes both sockets", async () => {
  const blocked: string[] = [];
  const rules = { socks: false, http: true, tls: false };
  const { client, near, session, end } = running(
    undefined,
    (visitor) => sniff(visitor, rules, (protocol) => blocked.push(protocol)),
  );
  await client.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  equal(await end, "reset_by_visitor");
  equal(session.meter.tx, 0);
  equal(blocked.join(), "http");
  ok(near.every((conn) => conn.closed));
});

test("exchange delivers what a target sent before it stopped taking bytes, without a clean end", async () => {
  const { client, server, near, end, clock } = running();
  const target = near[1];
  if (target === undefined) throw new Error("no target");
  target.write = () => Promise.reject(new Error("broken pipe"));
  let ended = false;
  const visitor = near[0];
  if (visitor === undefined) throw new Error("no visitor");
  visitor.closeWrite = () => {
    ended = true;
    return Promise.resolve();
  };
  await client.write(bytes(10));
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  await server.write(bytes(20));
  await server.closeWrite();
  equal(await end, "reset_by_target");
  equal(visitor.sent.length, 1);
  equal(ended, false);
  equal(clock.pending, 0);
});

test("exchange bounds how long such an answer may take", async () => {
  const { client, near, end, clock } = running();
  const target = near[1];
  if (target === undefined) throw new Error("no target");
  target.write = () => Promise.reject(new Error("broken pipe"));
  await client.write(bytes(10));
  await clock.advanceSteps(2_500, 500);
  equal(await end, "reset_by_target");
});
