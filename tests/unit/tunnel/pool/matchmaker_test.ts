import fc from "fast-check";
import type { NodePassError } from "../../../../src/errors.ts";
import { Matchmaker } from "../../../../src/tunnel/pool/matchmaker.ts";
import type { PeerLinks } from "../../../../src/tunnel/pool/peer_links.ts";
import type { FrameLink } from "../../../../src/wire/secure/frame_link.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { deepEqual, equal, ok, rejects, test } from "../../../harness.ts";

const TIMEOUT_MS = 1_000;

/** Links of one other end, as far as the matchmaker looks. */
class Peer {
  ready = 0;
  sessions = 0;
  taken = 0;
  readonly name: string;

  constructor(name: string, ready = 0) {
    this.name = name;
    this.ready = ready;
  }

  take(): FrameLink | null {
    if (this.ready === 0) return null;
    this.ready--;
    this.sessions++;
    return { counter: this.taken++, peer: this.name } as unknown as FrameLink;
  }

  get links(): PeerLinks {
    return this as unknown as PeerLinks;
  }
}

function peerOf(link: FrameLink): string {
  return (link as unknown as { peer: string }).peer;
}

function setUp() {
  const clock = new FakeClock();
  const asked: number[] = [];
  const matchmaker = new Matchmaker<FrameLink>(clock, TIMEOUT_MS, (waiting) => asked.push(waiting));
  return { clock, asked, matchmaker };
}

test("Matchmaker takes the ready link of the other end with the fewest sessions, at once", () => {
  const { matchmaker, asked } = setUp();
  const [a, b, none] = [new Peer("a", 3), new Peer("b", 3), new Peer("none")];
  a.sessions = 1;
  for (const peer of [a, b, none]) matchmaker.add(peer.links);
  const order = Array.from({ length: 6 }, () => peerOf(matchmaker.take() as FrameLink));
  deepEqual(order, ["b", "a", "b", "a", "b", "a"]);
  deepEqual(asked, []);
});

test("Matchmaker serves who waits in the order of arrival and asks for links meanwhile", async () => {
  const { clock, matchmaker, asked } = setUp();
  const peer = new Peer("a");
  matchmaker.add(peer.links);
  const served: number[] = [];
  const all = [0, 1, 2].map((visitor) => Promise.resolve(matchmaker.take()).then(() => served.push(visitor)));
  deepEqual(asked, [1, 2, 3]);
  for (const left of [2, 1, 0]) {
    peer.ready = 1;
    matchmaker.offer();
    equal(matchmaker.waiting, left);
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
  }
  await Promise.all(all);
  deepEqual(served, [0, 1, 2]);
  equal(clock.pending, 0);
});

test("Matchmaker repeats what it asks for while somebody waits", async () => {
  const { clock, matchmaker, asked } = setUp();
  const waits = [matchmaker.take(), matchmaker.take()];
  clock.advance(TIMEOUT_MS - 1);
  deepEqual(asked, [1, 2, 2]);
  const peer = new Peer("a", 2);
  matchmaker.add(peer.links);
  await Promise.all(waits);
  clock.advance(10 * TIMEOUT_MS);
  deepEqual(asked, [1, 2, 2]);
  equal(clock.pending, 0);
});

test("Matchmaker lets nobody overtake who waits", async () => {
  const { matchmaker } = setUp();
  const first = matchmaker.take();
  const peer = new Peer("a", 1);
  matchmaker.add(peer.links);
  equal(peerOf(await first), "a");
  const second = matchmaker.take();
  ok(second instanceof Promise);
  peer.ready = 1;
  const third = matchmaker.take();
  ok(third instanceof Promise, "the one link belongs to the second");
  matchmaker.offer();
  equal((await second).counter, 1);
  matchmaker.close();
  await rejects(third, { code: "closed" });
});

test("Matchmaker turns away after the time limit, each visitor by its own", async () => {
  const { clock, matchmaker } = setUp();
  const first = matchmaker.take() as Promise<FrameLink>;
  clock.advance(TIMEOUT_MS / 2);
  const second = matchmaker.take() as Promise<FrameLink>;
  clock.advance(TIMEOUT_MS / 2);
  await rejects(first, { code: "timed_out", message: /within 1000 ms/ });
  equal(matchmaker.waiting, 1);
  const peer = new Peer("a", 1);
  matchmaker.add(peer.links);
  equal(peerOf(await second), "a");
  equal(clock.pending, 0);
});

test("Matchmaker forgets an other end that left", () => {
  const { matchmaker, clock } = setUp();
  const peer = new Peer("a", 1);
  matchmaker.add(peer.links);
  matchmaker.remove(peer.links);
  const waiting = matchmaker.take();
  ok(waiting instanceof Promise);
  waiting.catch(() => {});
  matchmaker.close();
  equal(clock.pending, 0);
});

test("Matchmaker holds 65,536 visitors and no more", async () => {
  const { matchmaker, clock } = setUp();
  const waiting = Promise.allSettled(Array.from({ length: 65_536 }, () => matchmaker.take()));
  await rejects(async () => await matchmaker.take(), { code: "limit" });
  matchmaker.close();
  const ends = await waiting;
  ok(ends.every((end) => end.status === "rejected" && (end.reason as NodePassError).code === "closed"));
  deepEqual([matchmaker.waiting, clock.pending], [0, 0]);
});

test("Matchmaker never loses a visitor or a link, whatever happens in whatever order", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("visit" as const) }),
    fc.record({ kind: fc.constant("ready" as const), peer: fc.nat(2), links: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant("leave" as const), peer: fc.nat(2) }),
    fc.record({ kind: fc.constant("return" as const), peer: fc.nat(2) }),
    fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: TIMEOUT_MS }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { clock, matchmaker } = setUp();
      const peers = [new Peer("0"), new Peer("1"), new Peer("2")];
      const present = new Set([0, 1, 2]);
      for (const peer of peers) matchmaker.add(peer.links);
      /** Arrival times of those who wait. */
      let queue: number[] = [];
      let served = 0;
      let expired = 0;
      let visits = 0;
      const ends: Promise<string>[] = [];
      const serve = (): void => {
        const free = [...present].reduce((sum, at) => sum + peers[at]!.ready, 0);
        served += Math.min(free, queue.length);
        queue = queue.slice(Math.min(free, queue.length));
      };
      for (const step of steps) {
        switch (step.kind) {
          case "visit":
            visits++;
            queue.push(clock.now());
            serve();
            ends.push(Promise.resolve(matchmaker.take()).then(() => "served", (error: NodePassError) => error.code));
            break;
          case "ready":
            peers[step.peer]!.ready += step.links;
            serve();
            matchmaker.offer();
            break;
          case "leave":
            present.delete(step.peer);
            matchmaker.remove(peers[step.peer]!.links);
            break;
          case "return":
            present.add(step.peer);
            serve();
            matchmaker.add(peers[step.peer]!.links);
            break;
          case "wait":
            clock.advance(step.ms);
            expired += queue.filter((at) => clock.now() - at >= TIMEOUT_MS).length;
            queue = queue.filter((at) => clock.now() - at < TIMEOUT_MS);
            break;
        }
        equal(matchmaker.waiting, queue.length);
        // Each visitor's deadline, and the one timer that asks again.
        equal(clock.pending, queue.length + Math.sign(queue.length));
        equal(peers.reduce((sum, peer) => sum + peer.taken, 0), served);
      }
      matchmaker.close();
      const codes = await Promise.all(ends);
      const count = (code: string): number => codes.filter((end) => end === code).length;
      deepEqual([count("served"), count("timed_out"), count("closed")], [served, expired, queue.length]);
      equal(codes.length, visits);
    }),
    { numRuns: 300 },
  );
});

test("Matchmaker lets nobody wait after close(), so that nothing runs on behind a closed tunnel", async () => {
  const { clock, matchmaker, asked } = setUp();
  const peer = new Peer("a", 1);
  matchmaker.add(peer.links);
  matchmaker.close();
  equal(peerOf(matchmaker.take() as FrameLink), "a");
  await rejects(Promise.resolve(matchmaker.take()), { code: "closed" });
  deepEqual(asked, []);
  equal(clock.pending, 0);
});
