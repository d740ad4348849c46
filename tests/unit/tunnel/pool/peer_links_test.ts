import fc from "fast-check";
import { PeerLinks, type PeerLinksEvents, type PeerLinksOptions } from "../../../../src/tunnel/pool/peer_links.ts";
import type { FrameLink } from "../../../../src/wire/secure/frame_link.ts";
import type { FrameSession } from "../../../../src/wire/secure/frame_session.ts";
import type { SessionReceiver } from "../../../../src/wire/types.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { deepEqual, equal, ok, test } from "../../../harness.ts";
import { type MemoryConn, memoryPair } from "../../../memory_conn.ts";

const SURPLUS_MS = 5_000;
const visitor = { host: "192.0.2.7", port: 5555 };

const socket: SessionReceiver = { data: () => Promise.resolve(), end: () => Promise.resolve(), abort: () => {} };

/** Both ends of one client's links. */
class Ends {
  readonly clock = new FakeClock();
  readonly ingress: PeerLinks;
  readonly egress: PeerLinks;
  readonly announced: FrameSession[] = [];
  readonly orphans: FrameSession[] = [];
  readonly conns: (readonly [MemoryConn, MemoryConn])[] = [];
  lost = 0;

  constructor(change: Partial<PeerLinksOptions> = {}) {
    this.ingress = this.#links("ingress", change);
    this.egress = this.#links("egress", change);
  }

  add(): void {
    const [here, there] = memoryPair();
    this.conns.push([here, there]);
    const counter = this.conns.length;
    this.egress.add(there, counter);
    this.ingress.add(here, counter);
  }

  addDatagrams(): void {
    const [here, there] = memoryPair();
    this.conns.push([here, there]);
    this.egress.addDatagrams(there, this.conns.length);
    this.ingress.addDatagrams(here, this.conns.length);
  }

  tick(ms: number): void {
    this.clock.advance(ms);
    this.ingress.tick(this.clock.now(), null);
    this.egress.tick(this.clock.now(), null);
  }

  async close(): Promise<void> {
    this.ingress.close();
    this.egress.close();
    await settle();
    for (const links of [this.ingress, this.egress]) deepEqual([links.ready, links.busy, links.total], [0, 0, 0]);
  }

  #links(end: "ingress" | "egress", change: Partial<PeerLinksOptions>): PeerLinks {
    const events: PeerLinksEvents = {
      opened: (session) => {
        session.attach(socket);
        this.announced.push(session);
      },
      openedDatagrams: () => ({ data: () => {}, closed: () => {} }),
      orphaned: (session) => this.orphans.push(session),
      cancel: (counter, sequence) => (end === "ingress" ? this.egress : this.ingress).cancelled(counter, sequence),
      changed: () => {},
      dropped: () => {},
      lost: () => this.lost++,
    };
    return new PeerLinks({
      end,
      maxBufferBytes: 16_384,
      acknowledge: false,
      minReady: 2,
      maxReady: 8,
      surplusMs: SURPLUS_MS,
      now: () => this.clock.now(),
      after: (ms, run) => this.clock.after(ms, run),
      soon: (run) => this.clock.soon(run),
      events,
      ...change,
    });
  }
}

async function settle(): Promise<void> {
  for (let turns = 0; turns < 4; turns++) await new Promise<void>((resolve) => setTimeout(resolve, 0));
}

test("PeerLinks gives out the link that was used last and counts it as busy until it is ready again", async () => {
  const ends = new Ends();
  for (let link = 0; link < 3; link++) ends.add();
  deepEqual([ends.ingress.ready, ends.ingress.busy, ends.egress.ready], [3, 0, 3]);
  const link = ends.ingress.take()!;
  equal(link.counter, 3);
  const session = link.open({ protocol: "tcp", visitor }, socket);
  session.announce();
  await settle();
  deepEqual([ends.ingress.ready, ends.ingress.busy, ends.ingress.sessions], [2, 1, 1]);
  deepEqual([ends.egress.ready, ends.egress.busy], [2, 1]);
  await session.end();
  await ends.announced[0]!.end();
  await settle();
  deepEqual([ends.ingress.ready, ends.ingress.busy, ends.egress.ready, ends.egress.busy], [3, 0, 3, 0]);
  equal(ends.ingress.take()!.counter, 3);
  await ends.close();
});

test("PeerLinks takes nothing more than the maximum of ready links", async () => {
  const ends = new Ends({ maxReady: 2 });
  for (let link = 0; link < 5; link++) ends.add();
  await settle();
  deepEqual([ends.ingress.ready, ends.ingress.total, ends.egress.total], [2, 2, 2]);
  await ends.close();
});

test("PeerLinks closes what nobody needed through a quiet interval, a share at a time, down to the minimum", async () => {
  const ends = new Ends({ maxReady: 100 });
  for (let link = 0; link < 42; link++) ends.add();
  const sizes: number[] = [];
  for (let interval = 0; interval < 30; interval++) {
    for (let second = 0; second < SURPLUS_MS / 1_000; second++) {
      ends.tick(1_000);
      await settle();
    }
    sizes.push(ends.ingress.ready);
  }
  deepEqual(sizes.slice(0, 4), [42, 32, 24, 18]);
  equal(sizes.at(-1), 2);
  ok(sizes.every((size, at) => at === 0 || size <= sizes[at - 1]!));
  equal(ends.egress.total, 2);
  await ends.close();
});

test("PeerLinks keeps links that a burst needed within the interval", async () => {
  const ends = new Ends({ maxReady: 100 });
  for (let link = 0; link < 20; link++) ends.add();
  for (let interval = 0; interval < 6; interval++) {
    for (let second = 0; second < SURPLUS_MS / 1_000; second++) {
      const taken = Array.from({ length: 18 }, () => ends.ingress.take()!);
      for (const link of taken) link.release();
      ends.tick(1_000);
      await settle();
    }
  }
  equal(ends.ingress.ready, 20);
  await ends.close();
});

test("PeerLinks closes ready links on request and lets sessions go on", async () => {
  const ends = new Ends();
  for (let link = 0; link < 3; link++) ends.add();
  const session = ends.ingress.take()!.open({ protocol: "tcp", visitor }, socket);
  session.announce();
  await settle();
  ends.egress.closeReady();
  await settle();
  deepEqual([ends.ingress.ready, ends.ingress.busy, ends.egress.ready, ends.egress.busy], [0, 1, 0, 1]);
  await ends.close();
});

test("PeerLinks closes at once what comes after its end", () => {
  const ends = new Ends();
  ends.ingress.close();
  ends.egress.close();
  ends.add();
  ends.addDatagrams();
  ok(ends.conns.every(([here, there]) => here.closed && there.closed));
  deepEqual([ends.ingress.total, ends.egress.total], [0, 0]);
});

test("PeerLinks puts UDP visitors on the datagram link with the fewest sessions", async () => {
  const ends = new Ends();
  const receiver = { data: () => {}, closed: () => {} };
  equal(ends.ingress.openDatagrams({ protocol: "udp", visitor }, receiver), null);
  ends.addDatagrams();
  ends.addDatagrams();
  const sessions = Array.from({ length: 6 }, () => ends.ingress.openDatagrams({ protocol: "udp", visitor }, receiver)!);
  equal(ends.ingress.sessions, 6);
  ends.conns[0]![0].close();
  await settle();
  deepEqual([ends.ingress.sessions, ends.ingress.datagramLinks, ends.egress.sessions], [3, 1, 3]);
  for (const session of sessions) session.close();
  await settle();
  deepEqual([ends.ingress.sessions, ends.egress.sessions], [0, 0]);
  await ends.close();
});

test("PeerLinks counts ready and busy links right, whatever happens to them", async () => {
  const at = fc.nat(20);
  const kinds = [
    "add",
    "open",
    "take",
    "release",
    "end",
    "endThere",
    "abort",
    "abortThere",
    "cut",
    "cutThere",
    "tick",
    "closeReady",
  ] as const;
  const step = fc.record({ kind: fc.constantFrom(...kinds, "add", "open"), at });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const ends = new Ends({ maxReady: 6 });
      /** Taken links and their sessions, as their user knows them. */
      const taken = new Map<FrameLink, FrameSession | null>();
      const some = <T>(list: readonly T[], at: number): T | undefined => list[at % Math.max(1, list.length)];
      for (const { kind, at } of steps) {
        const busy = [...taken];
        const session = some(busy.flatMap(([, session]) => session ?? []), at);
        const there = some(ends.announced.filter((session) => !session.over), at);
        if (kind === "add") ends.add();
        else if (kind === "open" || kind === "take") {
          const link = ends.ingress.take();
          if (link === null) continue;
          const opened = kind === "open" ? link.open({ protocol: "tcp", visitor }, socket) : null;
          taken.set(link, opened);
          if (at % 2 === 0) opened?.announce();
        } else if (kind === "release") {
          const [unused] = some(busy.filter(([, session]) => session === null), at) ?? [];
          unused?.release();
          if (unused !== undefined) taken.delete(unused);
        } else if (kind === "end") await session?.end().catch(() => {});
        else if (kind === "endThere") await there?.end().catch(() => {});
        else if (kind === "abort") session?.abort("reset");
        else if (kind === "abortThere") there?.abort("reset");
        else if (kind === "cut") some(ends.conns, at)?.[0].close();
        else if (kind === "cutThere") some(ends.conns, at)?.[1].close();
        else if (kind === "tick") ends.tick(500);
        else ends.ingress.closeReady();
        await settle();
        for (const [link, session] of taken) {
          if (link.state === "closed" || (session !== null && link.state === "ready")) taken.delete(link);
        }
        equal(ends.ingress.busy, taken.size, kind);
        equal(ends.ingress.ready, ends.ingress.total - taken.size, kind);
        ok(ends.ingress.ready <= 6);
        equal(ends.egress.ready + ends.egress.busy, ends.egress.total, kind);
        ok(ends.egress.ready >= 0 && ends.egress.busy >= 0);
        equal(ends.egress.total, ends.ingress.total, kind);
      }
      await ends.close();
    }),
    { numRuns: 60 },
  );
});
