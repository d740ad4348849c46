import { createJobs } from "../../../src/core/jobs.ts";
import { Lease } from "../../../src/core/lease.ts";
import type { Database } from "../../../src/core/store/database.ts";
import { migrate } from "../../../src/core/store/schema.ts";
import { openSqlite } from "../../../src/core/store/sqlite.ts";
import { silentLogger } from "../../../src/log/silent.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";

const real = await detectRuntime();
const never = new AbortController().signal;

async function withJobs(
  run: (db: Database, clock: FakeClock, make: () => ReturnType<typeof createJobs>) => Promise<void>,
): Promise<void> {
  const db = await openSqlite("", real);
  await migrate(db, silentLogger);
  const clock = new FakeClock();
  const random = { bytes: real.random.bytes, fraction: () => 0.5 };
  try {
    await run(db, clock, () => createJobs({ runtime: { clock, random }, logger: silentLogger, db }));
  } finally {
    await db.close();
  }
}

/** Lets everything that a fake timer began come to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

test("jobs: run again and again, never twice at once, and end when told", () =>
  withJobs(async (_db, clock, make) => {
    const jobs = make();
    let runs = 0;
    let finish = (): void => {};
    jobs.every("slow", 1000, () => {
      runs++;
      return new Promise((resolve) => finish = resolve);
    }, { lease: false });
    clock.advance(1000);
    await settle();
    equal(runs, 1);
    clock.advance(5000);
    await settle();
    equal(runs, 1);
    finish();
    await settle();
    clock.advance(1000);
    await settle();
    equal(runs, 2);
    const closed = jobs.close();
    let done = false;
    void closed.then(() => done = true);
    await settle();
    equal(done, false);
    finish();
    await closed;
    clock.advance(60_000);
    await settle();
    equal(runs, 2);
  }));

test("jobs: a failure is no end", () =>
  withJobs(async (_db, clock, make) => {
    const jobs = make();
    let runs = 0;
    jobs.every("bad", 1000, () => {
      runs++;
      return Promise.reject(new Error("no"));
    });
    for (let second = 0; second < 3; second++) {
      clock.advance(1000);
      await settle();
    }
    equal(runs, 3);
    await jobs.close();
  }));

test("jobs: without anything that is due no lease is taken, and nothing is written", () =>
  withJobs(async (db, clock, make) => {
    const jobs = make();
    let [due, runs] = [false, 0];
    jobs.every("rare", 1000, () => Promise.resolve(void runs++), { due: () => Promise.resolve(due) });
    for (const wanted of [0, 1, 1]) {
      clock.advance(2000);
      await settle();
      equal(runs, wanted);
      equal((await db.query("SELECT 1 FROM leases")).length, wanted);
      due = !due;
    }
    await jobs.close();
  }));

test("jobs: of several replicas one runs it, once per period", () =>
  withJobs(async (_db, clock, make) => {
    const runs: string[] = [];
    const replicas = ["a", "b", "c"].map((name) => {
      const jobs = make();
      jobs.every("once", 60_000, () => {
        runs.push(name);
        return Promise.resolve();
      });
      return jobs;
    });
    for (let minute = 0; minute < 5; minute++) {
      clock.advance(60_000);
      await settle();
    }
    equal(runs.length, 5);
    await Promise.all(replicas.map((jobs) => jobs.close()));
  }));

test("lease: a replica that died is followed by another, one that lost it is told", () =>
  withJobs(async (db, clock) => {
    const [a, b] = [new Lease(db, clock, "job", "a"), new Lease(db, clock, "job", "b")];
    const order: string[] = [];
    let finish = (): void => {};
    const holding = a.hold(0, never, (signal) => {
      signal.addEventListener("abort", () => order.push("a lost it"));
      return new Promise((resolve) => finish = resolve);
    });
    await settle();
    await b.hold(0, never, () => Promise.resolve(void order.push("b while a")));
    equal(order.length, 0);
    await db.exec("UPDATE leases SET expires_at = 0");
    await b.hold(0, never, () => Promise.resolve(void order.push("b after a")));
    deepEqual(order, ["b after a"]);
    clock.advance(20_000);
    await settle();
    deepEqual(order, ["b after a", "a lost it"]);
    finish();
    await holding;
    const [row] = await db.query("SELECT holder FROM leases");
    equal(row?.holder, "b");
  }));

test("lease: a run that failed does not count as one", () =>
  withJobs(async (db, clock) => {
    const lease = new Lease(db, clock, "job", "a");
    let failed = false;
    await lease.hold(3_600_000, never, () => Promise.reject(new Error("no"))).catch(() => failed = true);
    ok(failed);
    let runs = 0;
    const run = (): Promise<void> => Promise.resolve(void runs++);
    await lease.hold(3_600_000, never, run);
    await lease.hold(3_600_000, never, run);
    equal(runs, 1);
    clock.advance(3_600_001);
    await lease.hold(3_600_000, never, run);
    equal(runs, 2);
  }));
