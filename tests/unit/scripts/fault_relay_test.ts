import { changed, corrupt } from "../../../scripts/fault_relay/faults.ts";
import {
  type FaultRelay,
  type Faults,
  NO_FAULTS,
  type RelayedConnection,
  startFaultRelay,
} from "../../../scripts/fault_relay.ts";
import { writeAll } from "../../../src/relay/write_all.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import type { Conn, Listener, Runtime } from "../../../src/runtime/types.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";

const runtime = await detectRuntime();

/** A target that keeps what it accepted for the test to talk to. */
class Target {
  readonly #listener: Listener;
  readonly #conns: Conn[] = [];

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  static async start(): Promise<Target> {
    return new Target(await runtime.net.listen({ host: "127.0.0.1", port: 0 }));
  }

  get address(): { host: string; port: number } {
    return this.#listener.local;
  }

  async accept(): Promise<Conn> {
    const conn = (await this.#listener.accept())!;
    this.#conns.push(conn);
    return conn;
  }

  close(): void {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
  }
}

interface Pair {
  readonly visitor: Conn;
  readonly target: Conn;
  readonly relayed: RelayedConnection;
}

/** A target, a relay before it, and connections through both; closed at the end. */
async function scene(
  options: { faults?: Partial<Faults>; runtime?: Runtime },
  run: (relay: FaultRelay, connect: () => Promise<Pair>, target: Target) => Promise<void>,
): Promise<void> {
  const target = await Target.start();
  const relay = await startFaultRelay(options.runtime ?? runtime, {
    target: target.address,
    faults: options.faults ?? {},
  });
  const visitors: Conn[] = [];
  const connect = async (): Promise<Pair> => {
    const visitor = await runtime.net.connect({ ...relay.local, timeoutMs: 2000 });
    visitors.push(visitor);
    const accepted = await target.accept();
    await writeAll(visitor, text("!"));
    await read(accepted, 1);
    return { visitor, target: accepted, relayed: relay.connections().at(-1)! };
  };
  try {
    await run(relay, connect, target);
  } finally {
    for (const visitor of visitors) visitor.close();
    target.close();
    await relay.close();
  }
}

async function read(conn: Conn, length: number): Promise<Uint8Array> {
  const into = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const count = await conn.read(into.subarray(filled));
    if (count === null) return into.subarray(0, filled);
    filled += count;
  }
  return into;
}

/** Reads until the stream ends or breaks; what came and how it ended. */
async function readAll(conn: Conn): Promise<{ bytes: number; end: "end" | "broken" }> {
  const into = new Uint8Array(65536);
  for (let bytes = 0;;) {
    try {
      const count = await conn.read(into);
      if (count === null) return { bytes, end: "end" };
      bytes += count;
    } catch {
      return { bytes, end: "broken" };
    }
  }
}

/** One message there and back: by then, whatever could have passed elsewhere has had its turn. */
async function roundTrip(pair: Pair): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await writeAll(pair.visitor, text("ping"));
    await read(pair.target, 4);
    await writeAll(pair.target, text("pong"));
    await read(pair.visitor, 4);
  }
}

function text(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(value);
}

function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => i * 31 & 0xff);
}

test("startFaultRelay() without faults relays both directions and half-closes", async () => {
  await scene({}, async (relay, connect) => {
    const pair = await connect();
    await roundTrip(pair);
    const sent = pattern(300_000);
    const writing = writeAll(pair.visitor, sent).then(() => pair.visitor.closeWrite());
    deepEqual(await read(pair.target, sent.length), sent);
    await writing;
    equal(await pair.target.read(new Uint8Array(1)), null);
    await writeAll(pair.target, text("late"));
    pair.target.close();
    deepEqual(await read(pair.visitor, 4), text("late"));
    equal(await pair.visitor.read(new Uint8Array(1)), null);
    await pair.relayed.finished;
    equal(relay.connections().length, 0);
    equal(relay.accepted, 1);
  });
});

test("latencyMs delays bytes and keeps their order", async () => {
  const clock = new FakeClock();
  await scene({ runtime: { ...runtime, clock } }, async (relay, connect) => {
    const pair = await connect();
    relay.set({ latencyMs: 100 }, "up");
    await writeAll(pair.visitor, text("abc"));
    let arrived = false;
    const reading = read(pair.target, 3).then((bytes) => {
      arrived = true;
      return bytes;
    });
    while (clock.pending === 0) await roundTripDown(pair);
    clock.advance(99);
    await roundTripDown(pair);
    equal(arrived, false);
    clock.advance(1);
    deepEqual(await reading, text("abc"));
  });
});

/** The direction that has no latency. */
async function roundTripDown(pair: Pair): Promise<void> {
  await writeAll(pair.target, text("x"));
  await read(pair.visitor, 1);
}

test("bytesPerSecond paces the bytes", async () => {
  await scene({ faults: { bytesPerSecond: 100_000 } }, async (_relay, connect) => {
    const pair = await connect();
    const start = runtime.clock.now();
    const writing = writeAll(pair.visitor, pattern(20_000));
    deepEqual(await read(pair.target, 20_000), pattern(20_000));
    await writing;
    const ms = runtime.clock.now() - start;
    ok(ms >= 150, `took ${ms} ms`);
  });
});

test("blackHole holds bytes and ends of one direction until it is lifted", async () => {
  await scene({}, async (_relay, connect) => {
    const stalled = await connect();
    const healthy = await connect();
    stalled.relayed.set({ blackHole: true }, "up");
    await writeAll(stalled.visitor, text("abc"));
    await stalled.visitor.closeWrite();
    await roundTrip(healthy);
    equal(stalled.relayed.bytes("up"), 1);
    await roundTripDown(stalled);
    stalled.relayed.set({ blackHole: false });
    deepEqual(await readAll(stalled.target), { bytes: 3, end: "end" });
  });
});

test("blackHole in both directions also swallows a reset, and close() still ends everything", async () => {
  await scene({}, async (relay, connect) => {
    const gone = await connect();
    const healthy = await connect();
    gone.relayed.set({ blackHole: true });
    gone.visitor.reset();
    await roundTrip(healthy);
    equal(relay.connections().length, 2);
    await relay.close();
    await relay.close();
    equal(relay.connections().length, 0);
    equal((await readAll(gone.target)).bytes, 0);
  });
});

test("sliceBytes delivers every byte in small writes", async () => {
  await scene({ faults: { sliceBytes: 1 } }, async (_relay, connect) => {
    const pair = await connect();
    await writeAll(pair.visitor, pattern(500));
    deepEqual(await read(pair.target, 500), pattern(500));
    equal(pair.relayed.bytes("up"), 501);
  });
});

test("corruptAt changes one bit of one byte of one direction", async () => {
  await scene({}, async (_relay, connect) => {
    const pair = await connect();
    pair.relayed.set({ corruptAt: 1 + 5 }, "up");
    await writeAll(pair.visitor, pattern(10));
    const expected = pattern(10);
    expected[5]! ^= 1;
    deepEqual(await read(pair.target, 10), expected);
    await writeAll(pair.target, pattern(10));
    deepEqual(await read(pair.visitor, 10), pattern(10));
  });
});

test("corrupt() hits every nth byte of the stream wherever its chunks begin", () => {
  const hits: number[] = [];
  for (let offset = 0; offset < 40; offset += 7) {
    const bytes = new Uint8Array(7);
    corrupt(bytes, offset, { ...NO_FAULTS, corruptEvery: 10 });
    bytes.forEach((byte, i) => byte !== 0 && hits.push(offset + i));
  }
  deepEqual(hits, [9, 19, 29, 39]);
});

test("limitBytes passes exactly that many bytes, then cuts both sides", async () => {
  await scene({}, async (_relay, connect) => {
    for (const limitEnd of ["reset", "close"] as const) {
      const pair = await connect();
      pair.relayed.set({ limitBytes: 1000, limitEnd }, "up");
      const writing = writeAll(pair.visitor, pattern(5000)).catch(() => {});
      const { bytes, end } = await readAll(pair.target);
      await writing;
      if (limitEnd === "close") deepEqual({ bytes, end }, { bytes: 999, end: "end" });
      await pair.relayed.finished;
      equal(pair.relayed.bytes("up"), 1000);
      equal((await readAll(pair.visitor)).bytes, 0);
    }
  });
});

test("halfClose() ends one direction while the other goes on", async () => {
  await scene({}, async (relay, connect) => {
    const pair = await connect();
    await pair.relayed.halfClose("up");
    equal(await pair.target.read(new Uint8Array(1)), null);
    await roundTripDown(pair);
    equal(relay.connections().length, 1);
  });
});

test("reset() breaks both sides", async () => {
  await scene({}, async (relay, connect) => {
    const pair = await connect();
    relay.reset();
    const ends = [await readAll(pair.visitor), await readAll(pair.target)];
    // Native Deno sockets cannot send a reset.
    if (runtime.name === "node") deepEqual(ends.map(({ end }) => end), ["broken", "broken"]);
    await pair.relayed.finished;
  });
});

test("a target that refuses breaks the visitor, and retarget() helps the next one", async () => {
  await scene({}, async (relay, connect, target) => {
    const closed = await runtime.net.listen({ host: "127.0.0.1", port: 0 });
    const { local } = closed;
    closed.close();
    relay.retarget(local);
    const refused = await runtime.net.connect({ ...relay.local, timeoutMs: 2000 });
    equal((await readAll(refused)).bytes, 0);
    refused.close();
    relay.retarget(target.address);
    const pair = await connect();
    await roundTrip(pair);
  });
});

test("changed() touches the named directions only", () => {
  const now = { up: NO_FAULTS, down: NO_FAULTS };
  const next = changed(now, { latencyMs: 5 }, "down");
  equal(next.up, NO_FAULTS);
  deepEqual(next.down, { ...NO_FAULTS, latencyMs: 5 });
  equal(changed(now, { sliceBytes: 1 }, "both").up.sliceBytes, 1);
});
