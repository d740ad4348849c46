/** How nodes are and were: snapshots, history, the request to the node itself. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { NodeStats, SystemStats } from "../../src/core/contract/types.ts";
import { createMemoryStore } from "../../src/core/ephemeral/memory.ts";
import { type FailureCode, isFailure } from "../../src/core/failure.ts";
import type { CoreParts } from "../../src/core/parts.ts";
import { createCoreSecret } from "../../src/core/secret.ts";
import { type CoreSettings, readCoreSettings } from "../../src/core/settings.ts";
import { createStats, type Stats } from "../../src/core/stats/stats.ts";
import { type Database, num } from "../../src/core/store/database.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { FakeClock } from "../fake_clock.ts";
import { deepEqual, equal, ok, rejects } from "../harness.ts";
import { onEachStore } from "./core_stores.ts";

const QUARTER_MS = 900_000;
/** A whole quarter of an hour. */
const EPOCH = Date.UTC(2026, 0, 1);

interface Stage {
  readonly stats: Stats;
  readonly parts: CoreParts;
  readonly clock: FakeClock;
  readonly watched: number[];
  job(name: string): Promise<void>;
}

interface StageOptions {
  readonly clock?: FakeClock;
  readonly settings?: Partial<CoreSettings>;
}

async function stage(db: Database, options: StageOptions = {}): Promise<Stage> {
  const clock = options.clock ?? new FakeClock(EPOCH);
  const jobs = new Map<string, (signal: AbortSignal) => Promise<void>>();
  const watched: number[] = [];
  const parts = {
    runtime: { ...await detectRuntime(), clock },
    logger: silentLogger,
    settings: { ...readCoreSettings(() => undefined), ...options.settings },
    secret: await createCoreSecret("a secret of a test, long enough for it", clock),
    ephemeral: createMemoryStore({ clock }),
    jobs: { every: (name: string, _: number, run: (signal: AbortSignal) => Promise<void>) => void jobs.set(name, run) },
    db,
  } as unknown as CoreParts;
  const stats = createStats(parts, { intervals: { watch: (nodeId) => void watched.push(nodeId) } });
  return {
    ...{ stats, parts, clock, watched },
    job: async (name) => await jobs.get(name)?.(new AbortController().signal),
  };
}

async function addNode(db: Database, ip = "203.0.113.7", port = 8080): Promise<number> {
  const [row] = await db.query(
    `INSERT INTO nodes (code, name, ip, port, region, created_at, updated_at)
     VALUES ($1, 'n', $2, $3, 'eu', 0, 0) RETURNING id`,
    [crypto.randomUUID(), ip, port],
  );
  return num(row?.id);
}

const system = (cpuPercent: number): SystemStats => ({
  ...{ uptimeSeconds: 60, cpuPercent, cpuCores: 4, ramUsed: 1_000, ramTotal: 4_000, diskUsed: 5, diskTotal: 9 },
  ...{ netRxPerSec: 10, netTxPerSec: 20, netRxTotal: 100, netTxTotal: 200 },
});
const snapshot = (cpuPercent: number): NodeStats => ({
  system: system(cpuPercent),
  xray: { running: true, uptimeSeconds: 5 },
  mtproto: { tg: { running: false, connectionsCurrent: 3, activeUsers: 2 } },
});

const refused = (call: Promise<unknown>, code: FailureCode): Promise<void> =>
  rejects(call, (error) => isFailure(error, code));

onEachStore("stats: the latest snapshot, its age, and when it is none any more", async (db) => {
  const { stats, clock, watched } = await stage(db);
  const nodeId = await addNode(db);
  const empty = await stats.runtimeStatus(nodeId, false);
  deepEqual(empty, {
    ...{ nodeId, status: "offline", syncStatus: "never", desiredRevision: 0, appliedRevision: 0, lastSeenAt: null },
    ...{ receivedAt: null, ageMs: null, stale: true, source: "core", system: null, xray: null, mtproto: null },
  });
  await stats.report(nodeId, snapshot(5));
  const receivedAt = new Date(clock.wall()).toISOString();
  clock.advance(10_000);
  const { mtproto, xray } = snapshot(5);
  deepEqual(await stats.runtimeStatus(nodeId, false), {
    ...empty,
    ...{ receivedAt, ageMs: 10_000, stale: false, system: system(5), xray, mtproto },
  });
  clock.advance(1);
  equal((await stats.runtimeStatus(nodeId, false)).stale, true);
  clock.advance(20_000);
  deepEqual(await stats.runtimeStatus(nodeId, false), empty);
  await refused(stats.runtimeStatus(nodeId + 1, false), "NOT_FOUND");
  deepEqual(new Set(watched), new Set([nodeId]));
});

onEachStore("stats: history in steps of two seconds, a minute and a quarter of an hour", async (db) => {
  const { stats, clock, job } = await stage(db);
  const nodeId = await addNode(db);
  for (let second = 0; second < 1_800; second += 2) {
    await stats.report(nodeId, snapshot(second % 60 === 0 ? 100 : 40));
    clock.advance(2_000);
    if (second % 10 === 8) await job("stats.minutes");
  }
  const now = clock.wall();
  const near = (await stats.history(nodeId, 0, now, "2s")).points;
  equal(near.length, 300);
  equal(near[299]?.at, new Date(now - 2_000).toISOString());
  equal(near[299]?.cpuPercent, 40);

  const minutes = (await stats.history(nodeId, EPOCH + 30_000, now, "1m")).points;
  equal(minutes.length, 30);
  deepEqual(minutes[0], {
    ...{ at: new Date(EPOCH).toISOString(), samples: 30, cpuPercentMax: 100 },
    ...{ ...system(42), uptimeSeconds: 60 },
    ...{ xrayRunning: 1, mtprotoRunning: 0, connections: 3, activeUsers: 2 },
  });
  clock.advance(120_000);
  await job("stats.quarters");
  const quarters = (await stats.history(nodeId, 0, clock.wall(), "15m")).points;
  deepEqual(quarters.map(({ at, samples, cpuPercent }) => [Date.parse(at) - EPOCH, samples, cpuPercent]), [
    [0, 450, 42],
    [QUARTER_MS, 450, 42],
  ]);
  await refused(stats.history(nodeId, now, now, "1m"), "VALIDATION_FAILED");
  await refused(stats.history(nodeId + 1, 0, now, "1m"), "NOT_FOUND");

  clock.advance(49 * 4 * QUARTER_MS);
  await job("stats.quarters");
  equal((await stats.history(nodeId, 0, clock.wall(), "1m")).points.length, 0);
  equal((await stats.history(nodeId, 0, clock.wall(), "15m")).points.length, 2);
  clock.advance(90 * 96 * QUARTER_MS);
  await job("stats.quarters");
  equal((await stats.history(nodeId, 0, clock.wall(), "15m")).points.length, 0);
});

onEachStore(
  "stats: a minute on two replicas is one point, a restart loses nothing, deleted nodes are left out",
  async (db) => {
    const clock = new FakeClock(EPOCH);
    const [one, two] = [await stage(db, { clock }), await stage(db, { clock })];
    const [nodeId, gone] = [await addNode(db), await addNode(db)];
    await one.stats.report(gone, snapshot(1));
    await db.exec("DELETE FROM nodes WHERE id = $1", [gone]);
    for (const cpu of [10, 20]) {
      await one.stats.report(nodeId, snapshot(cpu));
      clock.advance(2_000);
    }
    await two.stats.report(nodeId, snapshot(90));
    await one.stats.close();
    await two.stats.close();
    const { points } = await one.stats.history(nodeId, EPOCH, clock.wall() + 1, "1m");
    deepEqual(points.map(({ samples, cpuPercent, cpuPercentMax }) => [samples, cpuPercent, cpuPercentMax]), [[
      3,
      40,
      90,
    ]]);
  },
);

onEachStore("stats: at most 2,000 points, the latest", async (db) => {
  const { stats, clock } = await stage(db);
  const nodeId = await addNode(db);
  await db.execMany(
    "INSERT INTO node_stats_1m (node_id, at, samples, stats) VALUES ($1, $2, 1, '{\"cpuPercent\":1}')",
    [
      ...Array.from({ length: 2_500 }, (_, index) => [nodeId, EPOCH + index * 60_000]),
    ],
  );
  clock.advance(2_500 * 60_000);
  const { points } = await stats.history(nodeId, EPOCH, clock.wall(), "1m");
  equal(points.length, 2_000);
  equal(points.at(-1)?.at, new Date(EPOCH + 2_499 * 60_000).toISOString());
});

type Answering = (request: IncomingMessage, response: ServerResponse) => void;

async function withAgent(answer: Answering, run: (port: number) => Promise<void>): Promise<void> {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  try {
    await run((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
}

onEachStore("stats: a live answer, asked for with a signed token", async (db) => {
  const { stats, clock, parts } = await stage(db, { settings: { allowPrivateNodes: true } });
  const seen: { path: string | undefined; authorization: string }[] = [];
  await withAgent((request, response) => {
    seen.push({ path: request.url, authorization: request.headers.authorization ?? "" });
    // Long enough for the other one to ask.
    setTimeout(() => response.end(JSON.stringify({ ...snapshot(7), more: 1 })), 300);
  }, async (port) => {
    const nodeId = await addNode(db, "127.0.0.1", port);
    const [status] = await Promise.all([stats.runtimeStatus(nodeId, true), stats.runtimeStatus(nodeId, true)]);
    equal(seen.length, 1, "two who ask at once");
    deepEqual([status.source, status.ageMs, status.stale], ["node", 0, false]);
    const { system, xray, mtproto } = status;
    deepEqual(JSON.parse(JSON.stringify({ system, xray, mtproto })), snapshot(7));
    equal(seen[0]?.path, "/runtime-status");
    const [body = "", signature = ""] = (seen[0]?.authorization ?? "").replace(/^Bearer /, "").split(".");
    const key = await crypto.subtle.importKey("raw", bytesOf(parts.secret.publicKey), "Ed25519", false, ["verify"]);
    ok(await crypto.subtle.verify("Ed25519", key, bytesOf(signature), new TextEncoder().encode(body)));
    deepEqual(JSON.parse(new TextDecoder().decode(bytesOf(body))), {
      ...{ aud: nodeId, exp: clock.wall() + 30_000, use: "runtime-status" },
    });
  });
});

onEachStore("stats: answers of nodes that cannot be used", async (db) => {
  const { stats } = await stage(db, { settings: { allowPrivateNodes: true } });
  const bad: Answering[] = [
    (_, response) => response.writeHead(500).end("{}"),
    (_, response) => response.writeHead(302, { Location: "http://127.0.0.1:1/" }).end(),
    (_, response) => response.end("<html>"),
    (_, response) => response.end("[]"),
    (_, response) => response.end('{"system":{"cpuPercent":"5"}}'),
    (_, response) => response.end(`{"a":"${"x".repeat(256 * 1024)}"}`),
  ];
  for (const answer of bad) {
    await withAgent(answer, async (port) => {
      await refused(stats.runtimeStatus(await addNode(db, "127.0.0.1", port), true), "NODE_BAD_REPLY");
    });
  }
  let closed = 0;
  await withAgent(() => {}, (port) => {
    closed = port;
    return Promise.resolve();
  });
  await refused(stats.runtimeStatus(await addNode(db, "127.0.0.1", closed), true), "NODE_UNREACHABLE");
});

onEachStore("stats: a node that says nothing is given up after three seconds", async (db) => {
  const { stats } = await stage(db, { settings: { allowPrivateNodes: true } });
  await withAgent(() => {}, async (port) => {
    const began = performance.now();
    await refused(stats.runtimeStatus(await addNode(db, "127.0.0.1", port), true), "NODE_UNREACHABLE");
    const took = performance.now() - began;
    ok(took > 2_900 && took < 4_500, `${took}`);
  });
});

onEachStore("stats: addresses that a node has no business to be at are not dialled", async (db) => {
  const { stats } = await stage(db);
  let calls = 0;
  await withAgent((_, response) => {
    calls++;
    response.end("{}");
  }, async (port) => {
    const ips = ["127.0.0.1", "::1", "169.254.169.254", "fe80::1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "fc00::1"];
    for (const ip of [...ips, "0.0.0.0", "100.64.0.1"]) {
      await refused(stats.runtimeStatus(await addNode(db, ip, port), true), "ADDRESS_FORBIDDEN");
    }
  });
  equal(calls, 0);
  const allowed = await stage(db, { settings: { allowPrivateNodes: true } });
  await refused(allowed.stats.runtimeStatus(await addNode(db, "169.254.169.254", 80), true), "ADDRESS_FORBIDDEN");
});
