import type { NodePassError } from "../../../../src/errors.ts";
import { SignalChannel } from "../../../../src/wire/nodepass_1_14/control.ts";
import { encodeSignal, type Signal, SignalReader } from "../../../../src/wire/nodepass_1_14/signals.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { deepEqual, equal, match, ok, test } from "../../../harness.ts";
import { type MemoryConn, memoryPair } from "../../../memory_conn.ts";

const KEY = "secret";
const INTERVAL_MS = 5_000;
const FLUSH: Signal = { action: "flush" };
const TCP: Signal = { action: "tcp", remote: "10.0.0.1:5", id: "01020304" };

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** A channel and its bare other end. */
class Setup {
  readonly clock = new FakeClock();
  readonly heard: Signal[] = [];
  readonly skipped: string[] = [];
  readonly channel: SignalChannel;
  readonly conn: MemoryConn;
  readonly peer: MemoryConn;
  readonly running: Promise<void>;
  ended: NodePassError | null = null;

  constructor(onSignal?: (signal: Signal) => void) {
    [this.conn, this.peer] = memoryPair();
    this.channel = new SignalChannel({
      conn: this.conn,
      key: KEY,
      clock: this.clock,
      intervalMs: INTERVAL_MS,
      onSignal: onSignal ?? ((signal) => this.heard.push(signal)),
      onSkipped: (reason) => this.skipped.push(reason),
    });
    void this.channel.finished.then((error) => this.ended = error);
    this.running = this.channel.run();
  }

  /** Sends signals from the other end and waits until they were read. */
  async hear(...signals: Signal[]): Promise<void> {
    const key = new TextEncoder().encode(KEY);
    for (const signal of signals) await this.peer.write(encodeSignal(signal, key)).catch(() => {});
    await turn();
  }

  /** What the channel sent. */
  get sent(): string[] {
    const reader = new SignalReader(new TextEncoder().encode(KEY), (reason) => {
      throw new Error(reason);
    });
    return this.conn.sent.flatMap((bytes) => reader.push(bytes)).map(({ action }) => action);
  }

  async end(): Promise<void> {
    await this.channel.close();
    await this.running;
    equal(this.clock.pending, 0);
  }
}

test("SignalChannel pings soon after its start and then at each interval", async () => {
  const setup = new Setup();
  await setup.clock.advanceSteps(49);
  deepEqual(setup.sent, []);
  await setup.clock.advanceSteps(1);
  deepEqual(setup.sent, ["ping"]);
  await setup.clock.advanceSteps(20);
  await setup.hear({ action: "pong" });
  equal(setup.channel.pingMs, 20);
  await setup.clock.advanceSteps(4_979);
  deepEqual(setup.sent, ["ping"]);
  await setup.clock.advanceSteps(1);
  deepEqual(setup.sent, ["ping", "ping"]);
  await setup.end();
  equal(setup.ended?.code, "closed");
  equal(setup.conn.closed, true);
});

test("SignalChannel answers pings, and a pong that nobody asked for changes nothing", async () => {
  const setup = new Setup();
  await setup.hear({ action: "pong" }, { action: "ping" }, FLUSH, { action: "ping" }, TCP);
  deepEqual(setup.sent, ["pong", "pong"]);
  deepEqual(setup.heard, [FLUSH, TCP]);
  equal(setup.channel.pingMs, 0);
  await setup.end();
});

test("SignalChannel counts a round trip from the oldest ping without an answer", async () => {
  const setup = new Setup();
  await setup.clock.advanceSteps(50 + INTERVAL_MS);
  await setup.hear({ action: "pong" });
  equal(setup.channel.pingMs, INTERVAL_MS);
  await setup.hear({ action: "pong" });
  equal(setup.channel.pingMs, INTERVAL_MS);
  await setup.end();
});

test("SignalChannel reports lines that it skips and goes on", async () => {
  const setup = new Setup();
  await setup.peer.write(new TextEncoder().encode("no signal\n"));
  await setup.hear(FLUSH);
  deepEqual(setup.heard, [FLUSH]);
  equal(setup.skipped.length, 1);
  await setup.end();
});

test("SignalChannel ends without a line for three intervals, bytes of none do not count", async () => {
  const setup = new Setup();
  await setup.clock.advanceSteps(50 + 2 * INTERVAL_MS, INTERVAL_MS);
  equal(setup.ended, null);
  await setup.peer.write(new TextEncoder().encode("A"));
  await setup.clock.advanceSteps(INTERVAL_MS);
  equal(setup.ended!.code, "timed_out");
  match(setup.ended!.message, /^Control connection was silent for 15\d{3} ms$/);
  await setup.running;
  equal(setup.clock.pending, 0);
});

test("SignalChannel lives while any line arrives", async () => {
  const setup = new Setup();
  for (let beat = 0; beat < 10; beat++) {
    await setup.hear({ action: "pong" });
    await setup.clock.advanceSteps(INTERVAL_MS);
    await setup.peer.write(new TextEncoder().encode("junk\n"));
  }
  equal(setup.ended, null);
  await setup.end();
});

test("SignalChannel ends with its connection, with a line that is too long, and when its owner throws", async () => {
  const closed = new Setup();
  closed.peer.close();
  await closed.running;
  await turn();
  equal(closed.ended?.code, "connection_reset");
  closed.channel.send(FLUSH);
  const long = new Setup();
  await long.peer.write(new TextEncoder().encode("A".repeat(9_000)));
  await long.running;
  await turn();
  equal(long.ended?.code, "protocol");
  const thrower = new Setup(() => {
    throw new Error("not today");
  });
  await thrower.hear(FLUSH);
  await thrower.running;
  match(thrower.ended!.message, /not today/);
  for (const { clock } of [closed, long, thrower]) equal(clock.pending, 0);
});

test("SignalChannel hears nothing more once its owner closed it in the middle of a read", async () => {
  const setup: Setup = new Setup((signal) => {
    setup.heard.push(signal);
    void setup.channel.close();
  });
  const key = new TextEncoder().encode(KEY);
  await setup.peer.write(Uint8Array.from([...encodeSignal(FLUSH, key), ...encodeSignal(TCP, key)]));
  await turn();
  deepEqual(setup.heard, [FLUSH]);
  await setup.running;
  equal(setup.clock.pending, 0);
});

test("SignalChannel joins what is sent while a write is in flight, in order", async () => {
  const setup = new Setup();
  for (let i = 0; i < 100; i++) setup.channel.send(i % 2 === 0 ? FLUSH : TCP);
  await turn();
  deepEqual(setup.sent, Array.from({ length: 100 }, (_, i) => i % 2 === 0 ? "flush" : "tcp"));
  ok(setup.conn.sent.length <= 3, `${setup.conn.sent.length} writes`);
  await setup.end();
});

test("SignalChannel fails when the other end does not read, and close() does not wait for it for ever", async () => {
  const stuck = new Setup();
  stuck.conn.write = () => new Promise(() => {});
  for (let i = 0; i < 20_000 && !stuck.channel.closed; i++) stuck.channel.send(TCP);
  await turn();
  equal(stuck.ended?.code, "timed_out");
  await stuck.running;
  const quiet = new Setup();
  quiet.conn.write = () => new Promise(() => {});
  quiet.channel.send(FLUSH);
  const closing = quiet.channel.close();
  await quiet.clock.advanceSteps(500);
  await closing;
  await quiet.running;
  for (const { clock } of [stuck, quiet]) equal(clock.pending, 0);
});
