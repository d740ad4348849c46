import { equal, ok, test } from "../harness.ts";
import { type DoorChild, type DoorReport, startDoor } from "../unit/tunnel/accept/door_child.ts";
import { hello, preface, text } from "../unit/tunnel/accept/openings.ts";
import {
  address,
  connectTo,
  exchangeWith,
  fullProfile,
  GOOD_MARK,
  openFrontDoor,
  type Stranger,
  stranger,
  type Target,
  within,
} from "../unit/tunnel/accept/front_door.ts";

const BLOBS = fullProfile ? 100_000 : 2_000;
/** The process takes its working size first: a listener of Deno's TLS alone grows by 30 MiB over 80,000 handshakes. */
const WARM_UP_BLOBS = fullProfile ? 100_000 : 1_000;
const AT_ONCE = 25;
const timeoutMs = 2_000;

/** A repeatable stream of numbers below `limit` (xorshift32). */
function seeded(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** Noise of every kind: random, with our magic, cut off, with another version or kind, TLS and HTTP that begin well. */
function blob(next: (limit: number) => number): Uint8Array {
  const bytes = Uint8Array.from({ length: next(1_500) }, () => next(256));
  switch (next(8)) {
    case 0:
      bytes.set(preface().subarray(0, Math.min(bytes.length, next(7))));
      break;
    case 1:
      bytes.set(hello().subarray(0, Math.min(bytes.length, 4)));
      break;
    case 2:
      bytes.set(preface(0).subarray(0, Math.min(bytes.length, 64)));
      break;
    case 3:
      bytes.set(Uint8Array.of(0x16, 3, next(5), 255, 255).subarray(0, bytes.length));
      break;
    case 4:
      bytes.set(text("GET /").subarray(0, bytes.length));
      break;
  }
  return bytes;
}

/** Sends `count` of them; those who were still waiting for something at the end are left to the caller. */
async function garble(door: Target, begin: number, count: number): Promise<Stranger[]> {
  const open = new Set<Stranger>();
  const next = seeded(0x5eed + begin);
  for (let index = begin; index < begin + count; index += AT_ONCE) {
    const strangers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, offset) => stranger(door.port, address((index + offset) % 60_000))),
    );
    for (const peer of strangers) {
      const { socket } = peer;
      open.add(peer);
      void peer.closed.then(() => open.delete(peer));
      // Half of them end their side, half leave that to the door.
      const bytes = blob(next);
      if (next(2) === 0) socket.end(bytes);
      else socket.write(bytes);
      if (next(4) === 0) socket.end();
    }
    // What is incomplete waits for its time: the next ones do not wait for that.
    await Promise.race([Promise.all(strangers.map(({ closed }) => closed)), within(5, () => false)]);
  }
  return [...open];
}

/** The largest resident size while `work` runs: a heap grows and shrinks all the time. */
async function largest(door: DoorChild, work: Promise<unknown>): Promise<number> {
  let most = door.rssMiB();
  const sampler = setInterval(() => most = Math.max(most, door.rssMiB()), 100);
  await work.finally(() => clearInterval(sampler));
  return most;
}

for (const tls of [0, 1] as const) {
  test(`the tunnel port survives garbage (tls=${tls})`, async () => {
    const door = await startDoor({ tls, timeoutMs });
    try {
      const warmUp = garble(door, 0, WARM_UP_BLOBS);
      const before = await largest(door, warmUp);
      const warm = await quiet(door);
      const [descriptorsBefore, start] = [door.descriptors(), performance.now()];
      const garbling = garble(door, WARM_UP_BLOBS, BLOBS);
      const grownMiB = Math.round(await largest(door, garbling) - before);
      const left = [...await warmUp, ...await garbling];
      const report = await quiet(door);
      const seconds = (performance.now() - start) / 1_000;

      const link = await connectTo(door, address(70_000));
      await exchangeWith(link, preface(GOOD_MARK), 0);
      await exchangeWith(link, text("through"), 7);
      link.close();
      const lines = report.lines - warm.lines;
      const keptMiB = Number((report.heapMiB - warm.heapMiB).toFixed(1));
      const figures = { tls, blobs: BLOBS, seconds: Math.round(seconds), grownMiB, keptMiB, lines };
      console.log(JSON.stringify({ ...figures, ...report.refusals }));
      ok(lines <= 10 * (seconds + 1), `${lines} lines in ${seconds} s`);
      ok(keptMiB <= 4, `${keptMiB} MiB are kept`);
      ok(!fullProfile || grownMiB <= 20, `memory grew by ${grownMiB} MiB`);
      for (const { socket } of left) socket.destroy();
      const back = await within(2_000, () => door.descriptors() <= descriptorsBefore + 5);
      ok(back, `descriptors: ${descriptorsBefore} before, ${door.descriptors()} after`);
    } finally {
      await door.close();
    }
  });
}

/** Waits until nobody waits. */
async function quiet(door: DoorChild): Promise<DoorReport> {
  for (const deadline = performance.now() + timeoutMs + 2_000;;) {
    const report = await door.report();
    if (report.pending === 0) return report;
    ok(performance.now() < deadline, `${report.pending} still wait`);
    await within(100, () => false);
  }
}

test("the tunnel port reads at most 8 KiB of an endless line and closes", async () => {
  for (const first of ["GET /", "NPSW", "x"]) {
    const door = await openFrontDoor(0, { handshakeTimeoutMs: timeoutMs });
    const peer = await stranger(door.port, address(2));
    const start = performance.now();
    peer.socket.write(first);
    const chunk = text("a".repeat(65_536));
    const pour = (): void => {
      while (!peer.socket.destroyed && peer.socket.write(chunk));
    };
    peer.socket.on("drain", pour);
    pour();
    await peer.closed;
    ok(peer.closedAt! - start < 1_000, `closed after ${peer.closedAt! - start} ms`);
    equal(door.acceptor.pending, 0);
    door.close();
  }
});

test("the tunnel port does not wait longer for lengths that lie", async () => {
  const door = await openFrontDoor(1, { handshakeTimeoutMs: timeoutMs });
  const record = await stranger(door.port, address(3));
  // A TLS record and a hello that announce more than ever comes; the door waits for the bytes, not for long.
  record.socket.write(Uint8Array.of(0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff, 3, 3));
  const start = performance.now();
  ok(await within(timeoutMs + 1_000, () => door.acceptor.pending === 0 && performance.now() - start > 100));
  record.socket.destroy();
  await record.closed;
  door.close();
});
