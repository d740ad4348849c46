/**
 * Hours and days, what is forgotten, what administrators read, and the comparison of counters with rows.
 *
 * @module
 */
import { checkCounters } from "../../src/core/usage/self_check.ts";
import { deepEqual, equal, ok } from "../harness.ts";
import { entry, rowsOf, STREAM, sums, usageTest } from "./core_usage_stage.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const signal = new AbortController().signal;

usageTest("usage: hours and days hold every minute once, whenever it came", async ({ usage, db, clock, ...of }) => {
  const someone = await of.subscriber("ann");
  const begun = clock.wall();
  let seq = 0;
  const send = (at: number, up: number) =>
    usage.report(of.nodeId, { stream: STREAM, seq: ++seq, entries: [entry(someone, up, 0, at)] });
  const read = async (step: "minute" | "hour" | "day") => {
    const range = { from: begun, to: clock.wall() + 1, step } as const;
    const [user, node] = [await usage.read({ userId: someone.userId }, range), await usage.read(of, range)];
    deepEqual(user, node);
    return user.rows.map(({ at, bytesUp }) => [(at - begun) / HOUR_MS, Number(bytesUp)]);
  };
  for (let minute = 0; minute < 120; minute++) await send(begun + minute * MINUTE_MS, 1);
  clock.advance(2 * HOUR_MS + 5 * MINUTE_MS);
  const hours = [[0, 60], [1, 60]];
  deepEqual(await read("hour"), hours);
  await of.job("usage.fold");
  deepEqual(await rowsOf(db, "SELECT SUM(bytes_up) AS up FROM usage_hours"), [{ up: 115 }]);
  deepEqual(await read("hour"), hours);
  deepEqual(await read("day"), [[0, 120]]);
  await Promise.all([send(begun + 30 * MINUTE_MS, 1_000), of.job("usage.fold")]);
  await send(begun + 119 * MINUTE_MS, 10_000);
  clock.advance(HOUR_MS);
  await of.job("usage.fold");
  await of.job("usage.fold");
  deepEqual(await read("hour"), [[0, 1_060], [1, 10_060]]);
  deepEqual(await read("day"), [[0, 11_120]]);
  equal((await read("minute")).length, 120);
  for (const table of ["usage_minutes", "usage_hours", "usage_days"]) {
    deepEqual(await rowsOf(db, `SELECT SUM(bytes_up) AS up, SUM(counted_up) AS counted FROM ${table}`), [
      { up: 11_120, counted: 11_120 },
    ]);
  }
});

usageTest("usage: minutes and hours are forgotten in time, sums stay right", async ({ usage, db, clock, ...of }) => {
  const someone = await of.subscriber("ann");
  const begun = clock.wall();
  const periodFrom = begun + 90_000;
  await db.exec("UPDATE subscriptions SET period_started_at = $1", [periodFrom]);
  const entries = [0, 1, 2, 61, 1_500, 3_000].map((minute, at) =>
    entry(someone, 10 ** at, 0, begun + minute * MINUTE_MS)
  );
  await usage.report(of.nodeId, { stream: STREAM, seq: 1, entries });
  const check = () => checkCounters(of.parts, clock.wall(), signal);
  const used = async (since: number) => Number((await usage.recount(db, someone.subscriptionId, since)).up);
  equal(await used(periodFrom), 111_100);
  deepEqual(await check(), []);
  clock.advance(2 * DAY_MS + HOUR_MS);
  await of.job("usage.fold");
  equal(await used(periodFrom), 111_100);
  equal(await used(begun + DAY_MS), 110_000);
  equal(await used(0), 111_111);
  deepEqual(await check(), []);
  clock.advance(13 * DAY_MS);
  await deliverAgain(db, clock.wall());
  await of.job("usage.retention");
  deepEqual(await rowsOf(db, "SELECT COUNT(*) AS rows FROM usage_minutes"), [{ rows: 2 }]);
  deepEqual(await check(), []);
  clock.advance(2 * DAY_MS);
  await of.job("usage.fold");
  await of.job("usage.retention");
  deepEqual(await rowsOf(db, "SELECT COUNT(*) AS rows FROM usage_minutes"), [{ rows: 0 }]);
  await usage.report(of.nodeId, { stream: STREAM, seq: 2, entries: [entry(someone, 1e6, 0, begun + 3 * MINUTE_MS)] });
  await of.job("usage.retention");
  deepEqual(await rowsOf(db, "SELECT SUM(bytes_up) AS up FROM usage_hours"), [{ up: 1_111_111 }]);
  deepEqual(await check(), []);
  clock.advance(180 * DAY_MS);
  await of.job("usage.retention");
  deepEqual(await rowsOf(db, "SELECT COUNT(*) AS rows FROM usage_hours"), [{ rows: 0 }]);
  deepEqual(await rowsOf(db, "SELECT SUM(bytes_up) AS up FROM usage_days"), [{ up: 1_111_111 }]);
  deepEqual(await check(), []);
  equal(await used(0), 1_111_111);
});

async function deliverAgain(db: Parameters<typeof sums>[0], at: number): Promise<void> {
  await db.exec("UPDATE delivered_pairs SET last_delivered_at = $1", [at]);
}

usageTest("usage: counters that differ from their rows are found", async ({ usage, db, clock, ...of }) => {
  const [ann, bob, eve] = [await of.subscriber("ann"), await of.subscriber("bob"), await of.subscriber("eve")];
  const entries = [ann, bob, eve].map((someone) => entry(someone, 5, 7, clock.wall()));
  await usage.report(of.nodeId, { stream: STREAM, seq: 1, entries });
  await db.exec("UPDATE subscriptions SET used_down = 8 WHERE id = $1", [bob.subscriptionId]);
  await db.exec("UPDATE subscriptions SET lifetime_up = 4 WHERE id = $1", [eve.subscriptionId]);
  deepEqual(await checkCounters(of.parts, clock.wall(), signal), [bob.subscriptionId, eve.subscriptionId]);
});

usageTest("usage: long answers are cut, and say so", async ({ usage, clock, ...of }) => {
  const someone = await of.subscriber("ann");
  const entries = Array.from({ length: 2_001 }, (_, at) => entry(someone, 1, 0, clock.wall() - at * MINUTE_MS));
  await usage.report(of.nodeId, { stream: STREAM, seq: 1, entries });
  const range = { from: 0, to: clock.wall() + 1, step: "minute" } as const;
  for (const whose of [{ userId: someone.userId }, { nodeId: of.nodeId }]) {
    const { rows, truncated } = await usage.read(whose, range);
    deepEqual([rows.length, truncated, rows[0]?.at], [2_000, true, clock.wall() - 2_000 * MINUTE_MS]);
  }
  const { rows } = await usage.read({ userId: someone.userId }, { from: 5, to: 5, step: "day" });
  deepEqual(rows, []);
});

usageTest("usage: PostgreSQL has a partition for every day", async ({ usage, db, clock, ...of }) => {
  if (db.dialect === "sqlite") return;
  const someone = await of.subscriber("ann");
  const days = async () => {
    const rows = await db.query(
      "SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'usage_minutes'::regclass ORDER BY 1",
    );
    return rows.map(({ name }) => String(name).replace("usage_minutes_", ""));
  };
  const at = clock.wall() + 3 * DAY_MS;
  await usage.report(of.nodeId, { stream: STREAM, seq: 1, entries: [entry(someone, 1, 1, at)] });
  deepEqual(await days(), ["d20250101", "d20250102", "d20250103", "rest"]);
  deepEqual(await rowsOf(db, "SELECT COUNT(*) AS rows FROM usage_minutes_rest"), [{ rows: 1 }]);
  clock.advance(3 * DAY_MS);
  await of.job("usage.partitions");
  ok((await days()).includes("d20250106"));
  deepEqual(await rowsOf(db, "SELECT COUNT(*) AS rows FROM usage_minutes_d20250104"), [{ rows: 1 }]);
  clock.advance(13 * DAY_MS);
  await of.job("usage.retention");
  equal((await days()).length, 7);
  await of.job("usage.fold");
  await of.job("usage.retention");
  deepEqual(await days(), ["d20250103", "d20250104", "d20250105", "d20250106", "rest"]);
  equal((await sums(db)).up, 1);
});
