/**
 * How many entries of usage Core counts in a second, each batch durable before its answer.
 *
 *     deno run -A scripts/core/usage_bench.ts [--store sqlite|postgres] [--batch 2000] [--nodes 20] [--users 1000]
 *       [--seconds 10] [--late]
 *
 * Nodes report one batch after the other, all at once: every batch is one minute of its users, several minutes where it
 * has more entries than users. `--late` reports minutes that are folded already. One JSON line each.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { UsageEntry } from "../../src/core/contract/types.ts";
import type { CoreParts } from "../../src/core/parts.ts";
import type { Database } from "../../src/core/store/database.ts";
import { openDatabase } from "../../src/core/store/open.ts";
import { createUsage } from "../../src/core/usage/usage.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { postgresServer } from "../../tests/core_servers.ts";

const MINUTE_MS = 60_000;

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
}

const runtime = await detectRuntime();
const batchSize = option("batch", 2_000);
const nodes = option("nodes", 20);
const users = option("users", 1_000);
const seconds = option("seconds", 10);
const late = process.argv.includes("--late");
const stores = process.argv.includes("--store")
  ? [process.argv[process.argv.indexOf("--store") + 1]]
  : ["sqlite", "postgres"];

for (const store of stores) await (store === "sqlite" ? onSqlite() : onPostgres());

async function onSqlite(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "nodepass-usage-"));
  const db = await openDatabase({ kind: "sqlite", path: join(folder, "core.db") }, runtime, silentLogger);
  try {
    await bench(db);
  } finally {
    await db.close();
    await rm(folder, { recursive: true });
  }
}

async function onPostgres(): Promise<void> {
  const server = await postgresServer(true);
  const db = await openDatabase({ kind: "postgres", url: server.url }, runtime, silentLogger);
  try {
    await bench(db);
  } finally {
    await db.close();
    await server.close();
  }
}

/** Every node has one protocol, and the users with an id that leaves the same remainder. */
async function fill(db: Database): Promise<void> {
  const now = Date.now();
  const series = (to: number): string =>
    db.dialect === "postgres"
      ? `generate_series(1, ${to}) AS s (n)`
      : `(WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < ${to}) SELECT n FROM r) AS s`;
  await db.exec(
    `INSERT INTO nodes (id, code, name, ip, port, region, created_at, updated_at)
      SELECT n, 'n' || n, 'n', '203.0.113.7', 8080, 'eu', 0, 0 FROM ${series(nodes)}`,
  );
  await db.exec(
    `INSERT INTO node_protocols (id, node_id, service, protocol, tag, settings, created_at, updated_at)
      SELECT n, n, 'xray', 'vless', 'vless', '{}', 0, 0 FROM ${series(nodes)}`,
  );
  await db.exec(
    `INSERT INTO users (id, name, created_at, updated_at) SELECT n, 'u' || n, 0, 0 FROM ${series(nodes * users)}`,
  );
  await db.exec(
    `INSERT INTO subscriptions (id, user_id, limit_bytes, period_started_at, created_at, updated_at)
      SELECT n, n, 9000000000000000000, 0, 0, 0 FROM ${series(nodes * users)}`,
  );
  await db.exec(
    `INSERT INTO delivered_pairs (node_id, node_protocol_id, user_id, subscription_id, last_delivered_at)
      SELECT 1 + n % ${nodes}, 1 + n % ${nodes}, n, n, ${now} FROM ${series(nodes * users)}`,
  );
}

async function bench(db: Database): Promise<void> {
  await fill(db);
  const parts = {
    ...{ runtime, db, logger: silentLogger },
    events: { emit: () => Promise.resolve() },
    jobs: { every: () => {} },
    metrics: { count: () => {}, observe: () => {} },
  } as unknown as CoreParts;
  const usage = createUsage(parts, { composition: { mark: () => Promise.resolve(), changed: () => {} } });
  if (late) await db.exec("UPDATE core_values SET value = '9000000000000000' WHERE key = 'usage.folded_until'");
  const times: number[] = [];
  const from = performance.now();
  const cpu = process.cpuUsage();
  await Promise.all(Array.from({ length: nodes }, (_, at) => node(usage, at + 1, from + seconds * 1000, times)));
  const took = (performance.now() - from) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await usage.close();
  await prove(db, times.length * batchSize);
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({
    store: db.dialect,
    ...{ batchSize, nodes, users, late },
    entriesPerSecond: Math.round(times.length * batchSize / took),
    batches: times.length,
    p50Ms: Math.round(times[times.length >> 1] ?? 0),
    p99Ms: Math.round(times[Math.floor(times.length * 0.99)] ?? 0),
    cpuMicrosPerEntry: Math.round((user + system) / (times.length * batchSize) * 10) / 10,
  }));
}

async function node(
  usage: ReturnType<typeof createUsage>,
  nodeId: number,
  until: number,
  times: number[],
): Promise<void> {
  const minute = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 20 * 24 * 60 * MINUTE_MS;
  const stream = crypto.randomUUID();
  const ids = Array.from({ length: users }, (_, at) => at * nodes + (nodeId - 1 || nodes));
  for (let seq = 1, entryAt = 0; performance.now() < until; seq++) {
    const entries: UsageEntry[] = [];
    for (; entries.length < batchSize; entryAt++) {
      const id = ids[entryAt % users] ?? 1;
      const recordedAt = minute + Math.floor(entryAt / users) * MINUTE_MS;
      entries.push({
        userId: id,
        subscriptionId: id,
        nodeProtocolId: nodeId,
        bytesUp: 1_000,
        bytesDown: 9_000,
        recordedAt,
      });
    }
    const begun = performance.now();
    await usage.report(nodeId, { stream, seq, entries });
    times.push(performance.now() - begun);
  }
}

async function prove(db: Database, entries: number): Promise<void> {
  const [row] = await db.query(
    `SELECT CAST((SELECT SUM(bytes_up) FROM usage_minutes) AS BIGINT) AS counted,
      CAST((SELECT SUM(lifetime_up) FROM subscriptions) AS BIGINT) AS charged`,
  );
  const expected = BigInt(entries) * 1_000n;
  if (row?.counted !== expected || row.charged !== expected) {
    throw new Error(`counted ${row?.counted}, charged ${row?.charged}, reported ${expected}`);
  }
}
