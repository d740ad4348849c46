import { copy } from "../../../src/relay/copy.ts";
import { Meter, Traffic } from "../../../src/relay/meter.ts";
import type { Sink } from "../../../src/relay/sink.ts";
import { TokenBucket } from "../../../src/relay/token_bucket.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";

const KIB = 1024;

/** Fills the buffers it is given by a script: a number of bytes per read, or an error. */
class ScriptedSource {
  readonly rooms: number[] = [];
  readonly #script: (number | Error)[];
  #next = 0;

  constructor(script: (number | Error)[]) {
    this.#script = [...script];
  }

  read(into: Uint8Array): Promise<number | null> {
    this.rooms.push(into.length);
    const step = this.#script.shift();
    if (step === undefined) return Promise.resolve(null);
    if (step instanceof Error) return Promise.reject(step);
    const count = Math.min(step, into.length);
    for (let i = 0; i < count; i++) into[i] = this.#next++ & 0xff;
    return Promise.resolve(count);
  }
}

/** Collects bytes, takes at most `most` per write, scribbles over its headroom. */
class CollectingSink implements Sink {
  readonly headroom: number;
  readonly headerBytes: number;
  readonly bytes: number[] = [];
  ended = 0;
  readonly #most: number;
  readonly #failAfter: number;

  constructor(options: { headroom?: number; headerBytes?: number; most?: number; failAfter?: number } = {}) {
    this.headroom = options.headroom ?? 0;
    this.headerBytes = options.headerBytes ?? 0;
    this.#most = options.most ?? Infinity;
    this.#failAfter = options.failAfter ?? Infinity;
  }

  write(buffer: Uint8Array, start: number, end: number): Promise<number> {
    if (this.bytes.length >= this.#failAfter) return Promise.reject(new Error("sink broke"));
    ok(start >= this.headroom);
    buffer.fill(0xee, start - this.headroom, start);
    const count = Math.min(this.#most, end - start);
    for (let i = start; i < start + count; i++) this.bytes.push(buffer[i] ?? -1);
    return Promise.resolve(count);
  }

  end(): Promise<void> {
    this.ended++;
    return Promise.resolve();
  }
}

function options(maxBufferBytes = 1024 * KIB) {
  return { maxBufferBytes, meter: new Meter(new Traffic(), "tcp"), bucket: null };
}

function counting(length: number): number[] {
  return Array.from({ length }, (_, index) => index & 0xff);
}

test("copy passes every byte in order, then ends the sink once", async () => {
  const sink = new CollectingSink();
  const settings = options();
  deepEqual(await copy(new ScriptedSource([1, 3000, 3, 4096, 70_000]), sink, settings), { kind: "end" });
  deepEqual(sink.bytes, counting(1 + 3000 + 3 + 4096 + 16384));
  equal(sink.ended, 1);
  equal(settings.meter.rx, sink.bytes.length);
  equal(settings.meter.tx, 0);
});

test("copy leaves the sink its headroom and loops over partial writes", async () => {
  for (const headroom of [0, 4, 10]) {
    const sink = new CollectingSink({ headroom, most: 7 });
    // The headroom before the rest of a partial write is payload that has already gone.
    await copy(new ScriptedSource([100, 33, 1]), sink, { ...options(), count: "sent" });
    deepEqual(sink.bytes, counting(134));
  }
});

test("copy counts at the sink when that is the metered socket", async () => {
  const settings = options();
  await copy(new ScriptedSource([100, 100]), new CollectingSink({ most: 30, failAfter: 120 }), {
    ...settings,
    count: "sent",
  });
  equal(settings.meter.rx, 0);
  equal(settings.meter.tx, 130);
});

test("copy grows its buffer fourfold while reads fill it, up to the limit", async () => {
  const source = new ScriptedSource([4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, 1024 * KIB]);
  await copy(source, new CollectingSink({ headroom: 4 }), options());
  deepEqual(source.rooms, [4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, 1024 * KIB, 1024 * KIB]);
  const limited = new ScriptedSource([4 * KIB, 10 * KIB]);
  await copy(limited, new CollectingSink(), options(10 * KIB));
  deepEqual(limited.rooms, [4 * KIB, 10 * KIB, 10 * KIB]);
  const tiny = new ScriptedSource([1 * KIB]);
  await copy(tiny, new CollectingSink(), options(1 * KIB));
  deepEqual(tiny.rooms, [1 * KIB, 1 * KIB]);
});

test("copy fills whole multiples of 4 KiB together with the sink's header at most", async () => {
  const fill = [1, 4, 16, 64, 256].map((factor) => factor * (4 * KIB - 4));
  const source = new ScriptedSource([...fill, 1024 * KIB - 4]);
  await copy(source, new CollectingSink({ headroom: 64, headerBytes: 4 }), options());
  deepEqual(source.rooms, [...fill, 1024 * KIB - 4, 1024 * KIB - 4]);
});

test("copy keeps a buffer whose reads would just fill the smaller one", async () => {
  const source = new ScriptedSource([4 * KIB, 16 * KIB, 64 * KIB, ...new Array<number>(12).fill(64 * KIB)]);
  await copy(source, new CollectingSink(), options(256 * KIB));
  deepEqual(source.rooms.slice(3), new Array<number>(13).fill(256 * KIB));
});

test("copy goes back to a small buffer when reads stay small", async () => {
  const source = new ScriptedSource([4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, ...new Array(40).fill(100)]);
  await copy(source, new CollectingSink(), options());
  equal(source.rooms[4], 1024 * KIB);
  equal(source.rooms.at(-1), 4 * KIB);
});

test("copy tells a broken source from a broken sink and ends neither", async () => {
  const broken = new Error("source broke");
  const sink = new CollectingSink();
  deepEqual(await copy(new ScriptedSource([10, broken]), sink, options()), { kind: "source_failed", error: broken });
  equal(sink.ended, 0);
  const failing = new CollectingSink({ failAfter: 0 });
  equal((await copy(new ScriptedSource([10]), failing, options())).kind, "sink_failed");
  equal(failing.ended, 0);
});

test("copy reports a sink that cannot be ended", async () => {
  const sink = new CollectingSink();
  sink.end = () => Promise.reject(new Error("no half-close"));
  equal((await copy(new ScriptedSource([10]), sink, options())).kind, "sink_failed");
});

test("copy waits for its bucket and reads no more than a burst at once", async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(clock, 100_000);
  const source = new ScriptedSource(new Array(10).fill(16 * KIB));
  const sink = new CollectingSink();
  let done = false;
  const copied = copy(source, sink, { ...options(), bucket }).then(() => done = true);
  await clock.advanceSteps(500, 10);
  equal(done, false);
  ok(sink.bytes.length <= 60_000, String(sink.bytes.length));
  ok(sink.bytes.length >= 50_000, String(sink.bytes.length));
  await clock.advanceSteps(1000, 10);
  await copied;
  equal(Math.max(...source.rooms), 10_000);
  equal(clock.pending, 0);
});

test("copy is let go from its bucket by forgetting the source", async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(clock, 1000);
  const source = new ScriptedSource([100, 100, new Error("closed")]);
  const copied = copy(source, new CollectingSink(), { ...options(), bucket });
  await clock.advanceSteps(1);
  bucket.forget(source);
  equal((await copied).kind, "source_failed");
  equal(clock.pending, 0);
});
