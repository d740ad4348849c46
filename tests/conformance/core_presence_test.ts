/** Who is connected: what every database has to bear. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createMemoryStore } from "../../src/core/ephemeral/memory.ts";
import { createRedisStore } from "../../src/core/ephemeral/redis.ts";
import type { EphemeralStore } from "../../src/core/ephemeral/types.ts";
import { Failure, isFailure } from "../../src/core/failure.ts";
import { eraseUserIps } from "../../src/core/presence/retention.ts";
import { type Database, num } from "../../src/core/store/database.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { redisMissing, redisServer } from "../core_servers.ts";
import { FakeClock } from "../fake_clock.ts";
import { deepEqual, equal, ok, rejects, test } from "../harness.ts";
import { addUsers, type PresenceStage, presenceStage, seen } from "../unit/core/presence_stage.ts";
import { openDatabase } from "../../src/core/store/open.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { onEachStore } from "./core_stores.ts";

async function rows(db: Database): Promise<number> {
  const [row] = await db.query("SELECT count(*) AS n FROM user_ips");
  return num(row?.n);
}

onEachStore("presence: one event per pause above 10 s, none for one of 10 s, keys that die after 20 s", async (db) => {
  await addUsers(db, 2);
  const { presence, clock, of, job, parts } = await presenceStage(db);
  const report = (nodeId = 1): Promise<void> => presence.report(nodeId, [seen(clock, nodeId, 1, "198.51.100.4")]);
  const began = clock.wall();
  await report();
  await report(2);
  deepEqual(of("user.online").map(({ nodeId, userId, data }) => ({ nodeId, userId, ...data })), [
    { nodeId: 1, userId: 1, nodeProtocolId: 10, ip: "198.51.100.4", gapMs: null },
  ]);
  deepEqual(of("user.first_connected").length, 1);
  deepEqual(of("user.ip_new").map(({ userId, data }) => [userId, data.ip]), [[1, "198.51.100.4"]]);
  for (const pause of [5_000, 10_000]) {
    clock.advance(pause);
    await report();
  }
  equal(of("user.online").length, 1);
  clock.advance(10_001);
  await report();
  equal(of("user.online").length, 2);
  deepEqual(of("user.online")[1]?.data.gapMs, 10_001);
  equal(of("user.first_connected").length, 1);
  equal(of("user.ip_new").length, 1);

  const last = clock.wall();
  equal(await parts.ephemeral.get("online:user:1"), String(last));
  equal(await parts.ephemeral.get("online:inbound:10:user:1"), String(last));
  equal(await parts.ephemeral.get("online:inbound:20:user:1"), null, "15 s and more ago");
  deepEqual(await presence.onlineUsers({ limit: 10 }), { users: [{ userId: 1, lastSeenAt: last }], cursor: null });
  deepEqual((await presence.onlineUsers({ nodeProtocolId: 10, limit: 10 })).users.length, 1);
  deepEqual((await presence.onlineUsers({ nodeProtocolId: 20, limit: 10 })).users.length, 0);
  clock.advance(19_999);
  await job("presence.left");
  equal((await presence.user(1)).online, true);
  equal(of("user.offline").length, 0);
  clock.advance(1);
  await job("presence.left");
  await job("presence.left");
  equal((await presence.user(1)).online, false);
  deepEqual(of("user.offline").map(({ userId, data }) => [userId, data.lastSeenAt]), [[1, last]]);
  deepEqual((await presence.onlineUsers({ limit: 10 })).users, []);

  clock.advance(60_000);
  await report();
  equal(of("user.online")[2]?.data.gapMs, null);
  await job("presence.addresses");
  const [row] = await db.query("SELECT * FROM user_ips");
  deepEqual([num(row?.first_seen_at), num(row?.last_seen_at)], [began, clock.wall()]);
});

onEachStore("presence: pages of who is online", async (db) => {
  await addUsers(db, 5);
  const { presence, clock } = await presenceStage(db);
  await presence.report(1, [5, 3, 1, 2, 4].map((id) => seen(clock, 1, id, "198.51.100.4")));
  const ids: number[] = [];
  let cursor: string | null = null;
  do {
    const page = await presence.onlineUsers({ limit: 2, cursor: cursor ?? undefined });
    ids.push(...page.users.map(({ userId }) => userId));
    cursor = page.cursor;
  } while (cursor !== null && ids.length < 9);
  deepEqual(ids, [1, 2, 3, 4, 5]);
  await rejects(presence.onlineUsers({ limit: 2, cursor: "x" }), (error) => isFailure(error, "VALIDATION_FAILED"));
});

onEachStore("presence: a node speaks of its own users alone", async (db) => {
  await addUsers(db, 2);
  await db.exec("DELETE FROM delivered_pairs WHERE node_id = 1 AND user_id = 2");
  const { presence, clock, events } = await presenceStage(db);
  await presence.report(1, [seen(clock, 1, 2, "198.51.100.4"), seen(clock, 1, 77, "198.51.100.4")]);
  await presence.report(1, [seen(clock, 2, 1, "198.51.100.4")]);
  await presence.report(9, [seen(clock, 1, 1, "198.51.100.4")]);
  deepEqual([events.length, await rows(db), (await presence.onlineUsers({ limit: 9 })).users.length], [0, 0, 0]);
});

onEachStore("presence: a database that is away delays events, and loses none", async (db) => {
  await addUsers(db, 1);
  let away = false;
  const shaky: Database = new Proxy(db, {
    get: (target, name) => {
      if (name === "transaction" && away) return () => Promise.reject(new Failure("STORE_UNAVAILABLE", "away"));
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const { presence, clock, of, job } = await presenceStage(shaky);
  away = true;
  const report = (): Promise<void> => presence.report(1, [seen(clock, 1, 1, "198.51.100.4")]);
  await rejects(report, (error) => isFailure(error, "STORE_UNAVAILABLE"));
  clock.advance(1_000);
  await rejects(report, (error) => isFailure(error, "STORE_UNAVAILABLE"));
  equal(of("user.online").length, 0);
  away = false;
  await job("presence.left");
  await report();
  deepEqual([of("user.online").length, of("user.ip_new").length, await rows(db)], [1, 1, 1]);
});

onEachStore("presence: erased addresses are gone everywhere, and new when they are seen again", async (db) => {
  await addUsers(db, 2);
  const { presence, clock, of } = await presenceStage(db);
  const report = (): Promise<void> =>
    presence.report(1, [seen(clock, 1, 1, "198.51.100.4", "198.51.100.5"), seen(clock, 1, 2, "198.51.100.5")]);
  await report();
  for (const ip of ["198.51.100.4", "198.51.100.5"]) {
    await db.exec("INSERT INTO ip_info (ip, provider, ok, fetched_at) VALUES ($1, 'x', 1, 0)", [ip]);
  }
  await db.exec(
    `INSERT INTO session_events (node_id, user_id, protocol, event_type, occurred_at, ip_address)
     VALUES (1, 1, 'vless', 'online', 5, '198.51.100.4')`,
  );
  equal(await db.transaction((tx) => eraseUserIps(tx, 1)), 2);
  presence.forget(1);
  deepEqual((await db.query("SELECT ip FROM ip_info")).map(({ ip }) => ip), ["198.51.100.5"]);
  deepEqual((await db.query("SELECT ip_address FROM session_events")).map((row) => row.ip_address), [""]);
  equal(await rows(db), 1);
  await report();
  equal(await rows(db), 3);
  equal(of("user.ip_new").length, 5);
});

onEachStore("presence: 10,000 pairs reported again and again are 10,000 rows", async (db) => {
  await addUsers(db, 1_000);
  const { presence, clock, of, job } = await presenceStage(db);
  const began = clock.wall();
  const ips = Array.from({ length: 10 }, (_, index) => `198.51.100.${index}`);
  const reports = 100;
  for (let index = 0; index < reports; index++) {
    clock.advance(5_000);
    await presence.report(1, Array.from({ length: 1_000 }, (_, user) => seen(clock, 1, user + 1, ...ips)));
    if (index % 12 === 11) await job("presence.addresses");
  }
  await presence.close();
  equal(await rows(db), 10_000);
  equal(of("user.online").length, 1_000);
  equal(of("user.ip_new").length, 10_000);
  const times = await db.query("SELECT DISTINCT first_seen_at, last_seen_at, info FROM user_ips");
  deepEqual(times.map((row) => [num(row.first_seen_at), num(row.last_seen_at), row.info]), [
    [began + 5_000, clock.wall(), null],
  ]);
});

onEachStore("presence: a restart brings nobody online who never went", async (db) => {
  await addUsers(db, 500);
  const clock = new FakeClock();
  const everybody = (): Parameters<Awaited<ReturnType<typeof presenceStage>>["presence"]["report"]>[1] =>
    Array.from({ length: 500 }, (_, user) => seen(clock, 1, user + 1, `198.51.100.${user % 250}`));
  const before = await presenceStage(db, { clock, ephemeral: createMemoryStore({ clock }) });
  for (let index = 0; index < 5; index++) {
    clock.advance(5_000);
    await before.presence.report(1, everybody());
  }
  equal(before.of("user.online").length, 500);
  // Killed: nothing is flushed. It is back two minutes later, and nodes eight seconds after that.
  clock.advance(120_000);
  const after = await presenceStage(db, { clock, ephemeral: createMemoryStore({ clock }) });
  await after.presence.seed();
  clock.advance(8_000);
  equal((await after.presence.onlineUsers({ limit: 500 })).users.length, 500);
  await after.presence.report(1, everybody());
  deepEqual(after.events, []);
  clock.advance(10_001);
  await after.presence.report(1, everybody());
  equal(after.of("user.online").length, 500, "a real pause after it counts");
});

onEachStore("presence: addresses go after 90 days, with their users, and beyond 1,000 of one user", async (db) => {
  await addUsers(db, 3);
  const { clock, job } = await presenceStage(db);
  const day = 86_400_000;
  const add = (userId: number, ip: string, ageMs: number): Promise<number> =>
    db.exec("INSERT INTO user_ips (user_id, ip, first_seen_at, last_seen_at) VALUES ($1, $2, 0, $3)", [
      ...[userId, ip, clock.wall() - ageMs],
    ]);
  await add(1, "198.51.100.1", 90 * day + 1);
  await add(1, "198.51.100.2", 90 * day);
  await add(77, "198.51.100.3", 0);
  await db.execMany(
    "INSERT INTO user_ips (user_id, ip, first_seen_at, last_seen_at) VALUES (2, $1, 0, $2)",
    Array.from({ length: 1_005 }, (_, index) => [`2001:db8::${index.toString(16)}`, clock.wall() - index]),
  );
  for (const ip of ["198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4", "2001:db8::3ec"]) {
    await db.exec("INSERT INTO ip_info (ip, provider, ok, fetched_at) VALUES ($1, 'x', 1, 0)", [ip]);
  }
  await job("presence.retention");
  const left = await db.query(
    "SELECT user_id, count(*) AS n, min(last_seen_at) AS oldest FROM user_ips GROUP BY user_id ORDER BY 1",
  );
  deepEqual(left.map((row) => [num(row.user_id), num(row.n), clock.wall() - num(row.oldest)]), [
    [1, 1, 90 * day],
    [2, 1_000, 999],
  ]);
  deepEqual((await db.query("SELECT ip FROM ip_info")).map(({ ip }) => ip), ["198.51.100.2"]);
});

onEachStore("presence: a store that is away brings nobody online and lets nobody go", async (db) => {
  await addUsers(db, 2);
  const clock = new FakeClock();
  let store = createMemoryStore({ clock });
  let lost: "before" | "after" | null = null;
  const ephemeral: EphemeralStore = new Proxy(store, {
    get: (_, name) => async (...args: unknown[]) => {
      const away = new Failure("STORE_UNAVAILABLE", "away");
      if (lost === "before") throw away;
      const answer = await (Reflect.get(store, name) as (...args: unknown[]) => unknown).apply(store, args);
      if (lost === "after") throw away;
      return answer;
    },
  });
  const { presence, of, job } = await presenceStage(db, { clock, ephemeral });
  const report = (): Promise<void> => presence.report(1, [seen(clock, 1, 1, "198.51.100.4")]);
  const refused = (call: Promise<void>): Promise<void> =>
    rejects(call, (error) => isFailure(error, "STORE_UNAVAILABLE"));
  await report();
  clock.advance(5_000);
  lost = "before";
  for (let index = 0; index < 20; index++) {
    await refused(report());
    await job("presence.left");
    clock.advance(5_000);
  }
  lost = null;
  store = createMemoryStore({ clock });
  await report();
  await job("presence.left");
  deepEqual([of("user.online").length, of("user.offline").length], [1, 0], "away for 100 s, and all values lost");

  // A value that was taken though the call failed hides nobody who came.
  lost = "after";
  await refused(presence.report(1, [seen(clock, 1, 2, "198.51.100.4")]));
  lost = null;
  clock.advance(5_000);
  await presence.report(1, [seen(clock, 1, 2, "198.51.100.4")]);
  deepEqual(of("user.online").map(({ userId }) => userId), [1, 2]);
  clock.advance(20_000);
  await job("presence.left");
  deepEqual(of("user.offline").map(({ userId }) => userId).sort(), [1, 2]);
});

test("presence: the snapshot beside the database says who was online, also those whom the database knows for long", async () => {
  const runtime = await detectRuntime();
  const folder = await mkdtemp(join(tmpdir(), "nodepass-presence-"));
  const path = join(folder, "core.db");
  const settings = { database: { kind: "sqlite", path } } as const;
  const db = await openDatabase({ kind: "sqlite", path: "" }, runtime, silentLogger);
  const clock = new FakeClock();
  const begin = (): ReturnType<typeof presenceStage> => presenceStage(db, { clock, settings });
  try {
    await addUsers(db, 3);
    const report = (stage: PresenceStage, ...ids: number[]): Promise<void> =>
      stage.presence.report(1, ids.map((id) => seen(clock, 1, id, "198.51.100.4")));
    const first = await begin();
    await report(first, 1, 2, 3);
    clock.advance(600_000);
    await first.job("presence.left");
    await report(first, 1);
    await first.job("presence.snapshot");
    clock.advance(3_000);
    await report(first, 1, 2);
    equal(first.of("user.online").length, 5);
    // Killed; a minute later user 3 comes, and nobody else.
    clock.advance(60_000);
    const second = await begin();
    await second.presence.seed();
    clock.advance(5_000);
    await report(second, 1, 2, 3);
    deepEqual(second.of("user.online").map(({ userId }) => userId), [3]);
    await second.presence.close();

    await writeFile(`${path}.online`, '{"at":');
    const third = await begin();
    await third.presence.seed();
    await report(third, 1, 2, 3);
    deepEqual(third.of("user.online"), [], "what the database knows is enough");
    await third.presence.close();

    clock.advance(3_600_000);
    const late = await begin();
    await late.presence.seed();
    equal((await late.presence.onlineUsers({ limit: 9 })).users.length, 0);
    await report(late, 1);
    equal(late.of("user.online").length, 1, "an hour is too long");
  } finally {
    await db.close();
    await rm(folder, { recursive: true });
  }
});

const skip = redisMissing();

test("presence: 10,000 pauses, 2 nodes and 2 replicas at once on a real Redis: each comes online once", async () => {
  const server = await redisServer();
  const runtime = await detectRuntime();
  const db = await openDatabase({ kind: "sqlite", path: "" }, runtime, silentLogger);
  const stores = [await createRedisStore(server.url, silentLogger), await createRedisStore(server.url, silentLogger)];
  try {
    const users = 2_000;
    await addUsers(db, users);
    const clock = new FakeClock();
    const events: Parameters<typeof presenceStage>[1] & object = { clock, events: [] };
    const replicas = await Promise.all(stores.map((ephemeral) => presenceStage(db, { ...events, ephemeral })));
    const round = async (): Promise<void> => {
      const calls: Promise<void>[] = [];
      for (let start = 1; start <= users; start += 50) {
        for (const { presence } of replicas) {
          for (const nodeId of [1, 2]) {
            const some = Array.from({ length: 50 }, (_, index) => seen(clock, nodeId, start + index, "198.51.100.4"));
            calls.push(presence.report(nodeId, some));
          }
        }
      }
      await Promise.all(calls);
    };
    const counts = (): Map<number, number> => {
      const found = new Map<number, number>();
      for (const { type, userId = 0 } of replicas[0]!.events) {
        if (type === "user.online") found.set(userId, (found.get(userId) ?? 0) + 1);
      }
      return found;
    };
    await round();
    for (let trial = 1; trial <= 5; trial++) {
      clock.advance(10_000);
      await round();
      clock.advance(10_001);
      await round();
      const found = counts();
      equal(found.size, users);
      equal([...found.values()].filter((count) => count !== trial + 1).length, 0, `trial ${trial}`);
    }
    // Keys of Redis live in real time: of both replicas one says that they went.
    clock.advance(20_000);
    await Promise.all(stores.map((store) => store.setExMany([])));
    for (const { job } of [...replicas, ...replicas]) await job("presence.left");
    equal(replicas[0]!.of("user.offline").length, users);
    for (const { presence } of replicas) await presence.close();
  } finally {
    for (const store of stores) await store.close();
    await db.close();
    await server.close();
  }
}, { skip });

/** The time that is the default takes its time. */
const full = process.env["NODEPASS_FULL"] === "1" || process.env["NODEPASS_PROFILE"] === "full";

for (const seconds of full ? [2, 20] : [2]) {
  test(`presence: keys of a real Redis die after ${seconds} s`, async () => {
    const server = await redisServer();
    const runtime = await detectRuntime();
    const db = await openDatabase({ kind: "sqlite", path: "" }, runtime, silentLogger);
    const ephemeral = await createRedisStore(server.url, silentLogger);
    try {
      await addUsers(db, 1);
      const { presence, clock } = await presenceStage(db, { ephemeral, settings: { onlineTtlMs: seconds * 1_000 } });
      await presence.report(1, [seen(clock, 1, 1, "198.51.100.4")]);
      const began = performance.now();
      const lasts = (): number => performance.now() - began;
      while (await ephemeral.get("online:inbound:10:user:1") !== null) {
        ok(lasts() < (seconds + 1) * 1_000);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      ok(lasts() > (seconds - 1) * 1_000);
    } finally {
      await ephemeral.close();
      await db.close();
      await server.close();
    }
  }, { skip });
}
