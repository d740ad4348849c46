/**
 * What is counted for whom: periods, multipliers, limits, orphans, reports without numbers.
 *
 * @module
 */
import { MAX_INT64 } from "../../src/core/store/database.ts";
import { deepEqual, equal } from "../harness.ts";
import { addLink, addNode, addProtocol, addUser } from "./core_composition_stage.ts";
import { deliver, entry, refusal, rowsOf, STREAM, sums, usageTest } from "./core_usage_stage.ts";

const DAY_MS = 24 * 3_600_000;
const OTHER_STREAM = "b1c6a1de-0b43-4a57-9e0e-55a1f5a3f3aa";

usageTest("usage: bytes before a period count for rows and lifetime alone", async ({ usage, db, clock, ...of }) => {
  const someone = await of.subscriber("ann");
  const at = clock.wall();
  await db.exec("UPDATE subscriptions SET period_started_at = $1", [at]);
  await usage.report(of.nodeId, {
    stream: STREAM,
    seq: 1,
    entries: [entry(someone, 1, 1, at - 1), entry(someone, 10, 10, at), entry(someone, 100, 0, at - DAY_MS)],
  });
  deepEqual(await sums(db), { up: 111, down: 11, used_up: 10, used_down: 10, all_up: 111 });
});

usageTest("usage: a multiplier changes counters, not rows", async ({ usage, db, clock, ...of }) => {
  const someone = await of.subscriber("ann");
  await db.exec("UPDATE nodes SET usage_multiplier_ppm = 1500000");
  const huge = Number.MAX_SAFE_INTEGER;
  await usage.report(of.nodeId, {
    stream: STREAM,
    seq: 1,
    entries: [entry(someone, 100, huge, clock.wall()), entry(someone, 3, 0, clock.wall())],
  });
  const [row] = await rowsOf(db, "SELECT * FROM usage_minutes");
  deepEqual([row?.bytes_up, row?.counted_up, row?.bytes_down], [103, 154, huge]);
  equal(row?.counted_down, BigInt(huge) * 15n / 10n);
  const [counter] = await rowsOf(db, "SELECT used_up, used_down, lifetime_down FROM subscriptions");
  deepEqual(counter, { used_up: 154, used_down: row?.counted_down, lifetime_down: row?.counted_down });
});

usageTest("usage: what a node was not sent is kept aside, and the report is taken", async ({ usage, db, ...of }) => {
  const now = of.clock.wall();
  const someone = await of.subscriber("ann");
  const other = await addNode(db, "de-2");
  const elsewhere = await addProtocol(db, other, "vless", {});
  await deliver(db, other, elsewhere, someone.userId, someone.subscriptionId, now);
  const [long] = await addUser(db, "long ago");
  await deliver(db, of.nodeId, of.protocolId, long, 0, now - 50 * DAY_MS);
  await deliver(db, of.nodeId, of.protocolId, someone.userId, 0, now);
  await deliver(db, of.nodeId, of.protocolId, 999, 0, now);
  const entries = [
    entry(someone, 1, 0, now),
    { ...entry(someone, 2, 0, now), nodeProtocolId: elsewhere },
    { ...entry(someone, 4, 0, now), userId: long, subscriptionId: null },
    { ...entry(someone, 8, 0, now), userId: 999, subscriptionId: null },
    { ...entry(someone, 16, 0, now), subscriptionId: 777 },
    { ...entry(someone, 32, 0, now), subscriptionId: null },
  ];
  await usage.report(of.nodeId, { stream: STREAM, seq: 1, entries });
  await usage.report(of.nodeId, { stream: STREAM, seq: 2, entries: entries.slice(1, 2) });
  deepEqual(await rowsOf(db, "SELECT reason, bytes_up FROM usage_orphans ORDER BY bytes_up, reason"), [
    { reason: "pair", bytes_up: 4 },
    { reason: "protocol", bytes_up: 4 },
    { reason: "user", bytes_up: 8 },
    { reason: "subscription", bytes_up: 16 },
  ]);
  deepEqual(await rowsOf(db, "SELECT bytes_up FROM usage_minutes ORDER BY bytes_up"), [
    { bytes_up: 1 },
    { bytes_up: 32 },
  ]);
  deepEqual(of.events.map(({ type, nodeId, data }) => ({ type, nodeId, ...data })), [
    {
      ...{ type: "usage.orphan", nodeId: of.nodeId, rows: 4, bytesUp: 30, bytesDown: 0 },
      reasons: ["pair", "protocol", "subscription", "user"],
    },
    { type: "usage.orphan", nodeId: of.nodeId, rows: 1, bytesUp: 2, bytesDown: 0, reasons: ["protocol"] },
  ]);
});

usageTest("usage: without numbers an equal report within a minute is the same", async ({ usage, db, clock, ...of }) => {
  const [ann, bob] = [await of.subscriber("ann"), await of.subscriber("bob")];
  const at = clock.wall();
  const entries = [entry(ann, 1, 0, at), entry(bob, 2, 0, at)];
  await Promise.all([usage, of.again(), usage].map((one) => one.report(of.nodeId, { entries })));
  await usage.report(of.nodeId, { entries: entries.toReversed() });
  equal((await sums(db)).up, 3);
  clock.advance(59_999);
  await usage.report(of.nodeId, { entries });
  equal((await sums(db)).up, 3);
  await usage.report(of.nodeId, { entries: entries.slice(0, 1) });
  equal((await sums(db)).up, 4);
  clock.advance(1);
  await usage.report(of.nodeId, { entries });
  equal((await sums(db)).up, 7);
});

usageTest("usage: counters stop at the largest integer", async ({ usage, db, clock, ...of }) => {
  const someone = await of.subscriber("ann");
  await db.exec("UPDATE subscriptions SET used_up = $1, lifetime_up = $1", [MAX_INT64 - 5n]);
  const most = Number.MAX_SAFE_INTEGER;
  await usage.report(of.nodeId, { stream: STREAM, seq: 1, entries: [entry(someone, 6, 1, clock.wall())] });
  const entries = Array.from({ length: 2_000 }, (_, at) => entry(someone, 0, most, clock.wall() + at % 2 * 60_000));
  await usage.report(of.nodeId, { stream: STREAM, seq: 2, entries });
  await usage.outbound(of.nodeId, {
    items: Array.from({ length: 2_000 }, () => ({ tag: "a", bytesUp: most, bytesDown: 1 })),
  });
  deepEqual(await rowsOf(db, "SELECT used_up, used_down, lifetime_up FROM subscriptions"), [
    { used_up: MAX_INT64, used_down: MAX_INT64, lifetime_up: MAX_INT64 },
  ]);
  deepEqual(await rowsOf(db, "SELECT traffic_bytes_up AS up, traffic_bytes_down AS down FROM node_outbounds"), [
    { up: MAX_INT64, down: 2_000 },
  ]);
  clock.advance(DAY_MS);
  await of.job("usage.fold");
  await of.job("usage.check");
  const { rows } = await usage.read({ userId: someone.userId }, { from: 0, to: clock.wall(), step: "day" });
  deepEqual(rows.map(({ bytesDown }) => bytesDown), [MAX_INT64]);
  equal((await usage.recount(db, someone.subscriptionId, 0)).down, MAX_INT64);
});

usageTest("usage: a limit that is reached is told once and changes the nodes", async ({ usage, db, clock, ...of }) => {
  const someone = await of.subscriber("ann");
  await addLink(db, STREAM, [someone.userId, someone.subscriptionId], [of.protocolId]);
  await db.exec("UPDATE subscriptions SET limit_bytes = 100");
  const send = (seq: number, up: number, down: number) =>
    usage.report(of.nodeId, { stream: STREAM, seq, entries: [entry(someone, up, down, clock.wall())] });
  await send(1, 40, 59);
  deepEqual([of.events.length, of.changed], [0, []]);
  await send(2, 1, 0);
  await send(3, 1, 0);
  deepEqual(of.events, [{
    type: "subscription.limit_reached",
    userId: someone.userId,
    data: { subscriptionId: someone.subscriptionId, limitBytes: 100, usedUp: 41, usedDown: 59 },
  }]);
  deepEqual(of.changed, [of.nodeId]);
  deepEqual(await rowsOf(db, "SELECT status, limit_reached_at, used_up FROM subscriptions"), [
    { status: "limited", limit_reached_at: clock.wall(), used_up: 42 },
  ]);
});

usageTest("usage: a subscription ends at its date", async ({ db, clock, ...of }) => {
  const someone = await of.subscriber("ann");
  await addLink(db, STREAM, [someone.userId, someone.subscriptionId], [of.protocolId]);
  await db.exec("UPDATE subscriptions SET expires_at = $1", [clock.wall() + 1000]);
  await of.job("usage.expiry");
  deepEqual(of.changed, []);
  clock.advance(1000);
  await of.job("usage.expiry");
  await of.job("usage.expiry");
  deepEqual(of.changed, [of.nodeId]);
  deepEqual(await rowsOf(db, "SELECT status FROM subscriptions"), [{ status: "expired" }]);
});

usageTest("usage: more than a link carries is told, and counts", async ({ usage, db, clock, ...of }) => {
  const someone = await of.subscriber("ann");
  const entries = [entry(someone, 1, 75e9, clock.wall()), entry(someone, 75e9 + 1, 0, clock.wall())];
  await usage.report(of.nodeId, { stream: STREAM, seq: 1, entries });
  await usage.report(of.nodeId, { stream: STREAM, seq: 1, entries });
  deepEqual(of.events.map(({ type, data }) => [type, data.entries]), [["usage.suspicious", 1]]);
  equal((await sums(db)).up, 75e9 + 2);
});

usageTest("usage: outbounds have a stream of their own, unknown tags make rows", async ({ usage, db, ...of }) => {
  await db.exec(
    `INSERT INTO node_outbounds (node_id, tag, settings, created_at, updated_at) VALUES ($1, 'direct', '{}', 0, 0)`,
    [of.nodeId],
  );
  const items = [
    { tag: "direct", bytesUp: 1, bytesDown: 10 },
    { tag: "direct", bytesUp: 1, bytesDown: 10 },
    { tag: "proxy", bytesUp: 5, bytesDown: 50 },
    { tag: "idle", bytesUp: 0, bytesDown: 0 },
  ];
  await usage.report(of.nodeId, { stream: STREAM, seq: 1, entries: [] });
  const send = (seq: number) => refusal(usage.outbound(of.nodeId, { stream: STREAM, seq, items }));
  deepEqual([await send(1), await send(1), await send(3), await send(2)], [
    ...[null, null, { code: "SEQ_GAP", nextSeq: 2 }, null],
  ]);
  await usage.outbound(of.nodeId, { items });
  await usage.outbound(of.nodeId, { items });
  deepEqual(
    await rowsOf(
      db,
      "SELECT tag, unmanaged, traffic_bytes_up AS up, traffic_bytes_down AS down FROM node_outbounds ORDER BY tag",
    ),
    [
      { tag: "direct", unmanaged: 0, up: 8, down: 80 },
      { tag: "proxy", unmanaged: 1, up: 20, down: 200 },
    ],
  );
  const many = Array.from({ length: 4_096 }, (_, at) => ({ tag: `t${at}`, bytesUp: 1, bytesDown: 0 }));
  await usage.outbound(of.nodeId, { items: many });
  await usage.outbound(of.nodeId, { items: many });
  deepEqual(await rowsOf(db, "SELECT COUNT(*) AS tags, SUM(traffic_bytes_up) AS up FROM node_outbounds"), [
    { tags: 4_097, up: 28 + 8_192 },
  ]);
});

usageTest("usage: a node has a thousand streams, those that are idle give way", async ({ usage, db, clock, ...of }) => {
  const rows = Array.from({ length: 1_000 }, (_, at) => [of.nodeId, `s${at}`, clock.wall() + at]);
  await db.execMany(
    "INSERT INTO usage_cursors (node_id, stream_id, kind, last_seq, updated_at) VALUES ($1, $2, 'usage', 9, $3)",
    rows,
  );
  const begin = (stream: string) => refusal(usage.report(of.nodeId, { stream, seq: 1, entries: [] }));
  deepEqual(await begin(STREAM), { code: "RATE_LIMITED" });
  clock.advance(60 * DAY_MS + 1);
  deepEqual(await Promise.all([begin(STREAM), begin(OTHER_STREAM)]), [null, { code: "RATE_LIMITED" }]);
  deepEqual(await rowsOf(db, "SELECT COUNT(*) AS streams FROM usage_cursors WHERE stream_id = 's0'"), [{ streams: 0 }]);
  clock.advance(1);
  equal(await begin(OTHER_STREAM), null);
});

usageTest("usage: one report that cannot be stored is not the fault of the others", async ({ usage, db, ...of }) => {
  const someone = await of.subscriber("ann");
  const good = { stream: STREAM, seq: 1, entries: [entry(someone, 1, 1, of.clock.wall())] };
  const bad = { stream: OTHER_STREAM, seq: 1, entries: [entry(someone, 0.5, 1, of.clock.wall())] };
  const results = await Promise.all([refusal(usage.report(of.nodeId, good)), refusal(usage.report(of.nodeId, bad))]);
  equal(results[0], null);
  equal((await sums(db)).down, results[1] === null ? 2 : 1);
  await usage.close();
  deepEqual(await refusal(usage.report(of.nodeId, good)), { code: "STORE_UNAVAILABLE" });
});
