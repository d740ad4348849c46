/**
 * Reports that are written together.
 *
 * @module
 */
import { Failure, isFailure } from "../../../src/core/failure.ts";
import { ReportQueue, type WriteReports } from "../../../src/core/usage/queue.ts";
import type { Outcome, Report } from "../../../src/core/usage/report.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";

function report(nodeId: number, entries = 0): Report {
  const entry = { userId: 1, subscriptionId: null, nodeProtocolId: 1, bytesUp: 1, bytesDown: 1, recordedAt: 0 };
  return {
    kind: "usage",
    nodeId,
    place: {},
    entries: Array.from({ length: entries }, () => entry),
    items: [],
    fingerprint: null,
  };
}

/** Writes that end when a test says so. */
function stage(mostEntries = 1_000, mostMs = Infinity): {
  readonly queue: ReportQueue;
  readonly clock: FakeClock;
  readonly groups: number[][];
  readonly end: (error?: Error) => Promise<void>;
} {
  const clock = new FakeClock();
  const groups: number[][] = [];
  const waiting: PromiseWithResolvers<void>[] = [];
  const write: WriteReports = async (reports) => {
    groups.push(reports.map(({ nodeId }) => nodeId));
    const ended = Promise.withResolvers<void>();
    waiting.push(ended);
    await ended.promise;
    return reports.map(() => "applied" as const);
  };
  const end = async (error?: Error): Promise<void> => {
    if (error === undefined) waiting.shift()?.resolve();
    else waiting.shift()?.reject(error);
    await settled();
  };
  const queue = new ReportQueue({ write, mostEntries, mostMs, firstRate: 20, pause: () => Promise.resolve(), clock });
  return { queue, clock, groups, end };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(() => "applied", (error) => isFailure(error) ? error.failure : String(error));

test("usage queue: what comes during a commit goes together, 200 at most", async () => {
  const { queue, groups, end } = stage();
  const calls = [queue.add(report(1))];
  await settled();
  for (let node = 2; node <= 251; node++) calls.push(queue.add(report(node)));
  await end();
  await end();
  await end();
  await Promise.all(calls);
  deepEqual(groups.map(({ length }) => length), [1, 200, 50]);
  deepEqual(groups.flat(), Array.from({ length: 251 }, (_, at) => at + 1));
});

test("usage queue: large reports go alone, several small ones up to the limit", async () => {
  const { queue, groups, end } = stage(100);
  const calls = [500, 40, 40, 40, 200].map((entries, node) => queue.add(report(node, entries)));
  await settled();
  for (let group = 0; group < 4; group++) await end();
  await Promise.all(calls);
  deepEqual(groups, [[0], [1, 2], [3], [4]]);
});

test("usage queue: a commit takes what is written in the time that it may take, and 2,000 entries at least", async () => {
  const { queue, clock, groups, end } = stage(8_000, 200);
  // 20 entries a millisecond at first, which are 4,000; with each commit a third of the way to nearly none.
  const calls = Array.from({ length: 9 }, (_, node) => queue.add(report(node, node < 5 ? 1_999 : 999)));
  await settled();
  for (let group = 0; group < 6; group++) {
    clock.advance(60_000);
    await end();
  }
  await Promise.all(calls);
  deepEqual(groups, [[0, 1], [2], [3], [4], [5, 6], [7, 8]]);
});

test("usage queue: a report that breaks a commit fails alone", async () => {
  const tried: number[][] = [];
  const queue = new ReportQueue({
    mostEntries: 1_000,
    mostMs: Infinity,
    firstRate: 20,
    write: (reports) => {
      tried.push(reports.map(({ nodeId }) => nodeId));
      if (reports.some(({ nodeId }) => nodeId === 2)) return Promise.reject(new Failure("CONFLICT", "No such node"));
      return Promise.resolve(reports.map(({ nodeId }) => nodeId === 3 ? "duplicate" as const : "applied" as const));
    },
    pause: () => Promise.resolve(),
    clock: new FakeClock(),
  });
  const results = await Promise.all([1, 2, 3].map((node) => codeOf(queue.add(report(node)))));
  deepEqual(results, ["applied", "CONFLICT", "applied"]);
  deepEqual(tried, [[1, 2, 3], [1], [2], [3]]);
});

test("usage queue: a database that is down refuses all at once, and is asked again", async () => {
  const { queue, groups, end } = stage();
  const calls = [codeOf(queue.add(report(1))), codeOf(queue.add(report(2)))];
  await settled();
  await end(new Failure("STORE_UNAVAILABLE", "It is down"));
  deepEqual(await Promise.all(calls), ["STORE_UNAVAILABLE", "STORE_UNAVAILABLE"]);
  const again = codeOf(queue.add(report(1)));
  await settled();
  await end();
  equal(await again, "applied");
  equal(groups.length, 2);
});

test("usage queue: the end waits for what was taken, and takes nothing more", async () => {
  const { queue, end } = stage();
  const taken = codeOf(queue.add(report(1)));
  await settled();
  let closed = false;
  const closing = queue.close().then(() => closed = true);
  equal(await codeOf(queue.add(report(2))), "STORE_UNAVAILABLE");
  ok(!closed);
  await end();
  equal(await taken, "applied");
  await closing;
  await queue.close();
});

const retryOf = (call: Promise<unknown>): Promise<number | undefined> =>
  call.then(() => undefined, (error) => isFailure(error) ? error.retryAfterMs : undefined);

test("usage queue: what would wait longer than an agent is refused, each with a later time", async () => {
  const { queue, end } = stage(40_000);
  // 20 entries a millisecond at first: 80,000 are four seconds.
  const taken = Array.from({ length: 3 }, () => codeOf(queue.add(report(1, 39_999))));
  await settled();
  taken.push(codeOf(queue.add(report(1, 99))));
  const refused = [1, 2, 3].map(() => retryOf(queue.add(report(2, 19_999))));
  deepEqual(await Promise.all(refused), [4_805, 5_605, 6_405]);
  for (let group = 0; group < 4; group++) await end();
  ok((await Promise.all(taken)).every((result) => result === "applied"));
});

test("usage queue: how much may wait follows the speed of the database", async () => {
  const { queue, clock, end } = stage(100_000);
  const slow = codeOf(queue.add(report(1, 39_999)));
  await settled();
  clock.advance(40_000);
  await end();
  equal(await slow, "applied");
  // A third of the way from 20 entries a millisecond to 1.
  const rate = 20 + 0.3 * (1 - 20);
  const taken = [codeOf(queue.add(report(1, 1)))];
  await settled();
  taken.push(codeOf(queue.add(report(1, 59_999))));
  equal(Math.round(await retryOf(queue.add(report(1, 999))) ?? 0), Math.round(60_000 / rate + 1_000 / (rate * 1.25)));
  for (let group = 0; group < 2; group++) await end();
  deepEqual(await Promise.all(taken), ["applied", "applied"]);
});

test("usage queue: duplicates say nothing about the speed of the database", async () => {
  const clock = new FakeClock();
  const outcome = { of: "duplicate" as Outcome };
  const queue = new ReportQueue({
    write: (reports) => (clock.advance(1), Promise.resolve(reports.map(() => outcome.of))),
    ...{ mostEntries: 10_000, mostMs: Infinity, firstRate: 20, pause: () => Promise.resolve(), clock },
  });
  const large = report(1, 9_999);
  /** Reports that may wait. */
  const limit = async (): Promise<number> => {
    const taken: Promise<unknown>[] = [];
    for (let full = false; !full;) {
      try {
        queue.admit(0);
        taken.push(queue.add(large));
      } catch {
        full = true;
      }
    }
    await Promise.all(taken);
    return taken.length;
  };
  await queue.add(large);
  equal(await limit(), 9);
  outcome.of = "applied";
  await queue.add(large);
  // A third of the way from 20 entries a millisecond to 10,000.
  ok(await limit() > 1_000);
});
