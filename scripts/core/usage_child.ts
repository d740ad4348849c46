/**
 * As many reports of usage as Core counts, each durable before its answer. The plan comes as the first argument, a file
 * of JSON; the result is one line of JSON.
 *
 * Nodes report one batch after the other, all at once: a batch is one minute of a node's users, several minutes where it
 * has more entries than users.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import type { UsageEntry } from "../../src/core/contract/types.ts";
import type { CoreParts } from "../../src/core/parts.ts";
import type { Database } from "../../src/core/store/database.ts";
import { createUsage } from "../../src/core/usage/usage.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { withDatabase } from "./ledger.ts";

/** What to do. */
export interface UsagePlan {
  /** Variables that name the database, which is empty. */
  readonly env: Readonly<Record<string, string>>;
  readonly nodes: number;
  /** Of each node. */
  readonly users: number;
  /** Entries of a report. */
  readonly batchSize: number;
  readonly seconds: number;
}

/** What came of it. */
export interface UsageResult {
  readonly entriesPerSecond: number;
  readonly batches: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicrosPerEntry: number;
  /** Whether rows and counters hold every byte of them, and no other. */
  readonly counted: boolean;
}

const MINUTE_MS = 60_000;
/** Of the past, so that every report has minutes of its own. */
const FIRST_MINUTE_MS = 20 * 24 * 60 * MINUTE_MS;
const BYTES_UP = 1_000;

const plan = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as UsagePlan;
const { nodes, users, batchSize, seconds } = plan;

const result = await withDatabase(plan.env, bench);
process.stdout.write(`result ${JSON.stringify(result)}\n`, () => process.exit(0));

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

async function bench(db: Database): Promise<UsageResult> {
  await fill(db);
  const parts = {
    ...{ runtime: await detectRuntime(), db, logger: silentLogger },
    events: { emit: () => Promise.resolve() },
    jobs: { every: () => {} },
    metrics: { count: () => {}, observe: () => {} },
  } as unknown as CoreParts;
  const usage = createUsage(parts, { composition: { mark: () => Promise.resolve(), changed: () => {} } });
  const times: number[] = [];
  const from = performance.now();
  const cpu = process.cpuUsage();
  await Promise.all(Array.from({ length: nodes }, (_, at) => node(usage, at + 1, from + seconds * 1000, times)));
  const took = (performance.now() - from) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await usage.close();
  times.sort((a, b) => a - b);
  const entries = times.length * batchSize;
  return {
    entriesPerSecond: Math.round(entries / took),
    batches: times.length,
    p50Ms: Math.round(times[times.length >> 1] ?? 0),
    p99Ms: Math.round(times[Math.floor(times.length * 0.99)] ?? 0),
    cpuMicrosPerEntry: Math.round((user + system) / entries * 10) / 10,
    counted: await isCounted(db, entries),
  };
}

async function node(
  usage: ReturnType<typeof createUsage>,
  nodeId: number,
  until: number,
  times: number[],
): Promise<void> {
  const minute = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - FIRST_MINUTE_MS;
  const stream = crypto.randomUUID();
  const ids = Array.from({ length: users }, (_, at) => at * nodes + (nodeId - 1 || nodes));
  for (let seq = 1, entryAt = 0; performance.now() < until; seq++) {
    const entries: UsageEntry[] = [];
    for (; entries.length < batchSize; entryAt++) {
      const id = ids[entryAt % users] ?? 1;
      const recordedAt = minute + Math.floor(entryAt / users) * MINUTE_MS;
      entries.push({
        ...{ userId: id, subscriptionId: id, nodeProtocolId: nodeId },
        ...{ bytesUp: BYTES_UP, bytesDown: 9 * BYTES_UP, recordedAt },
      });
    }
    const begun = performance.now();
    await usage.report(nodeId, { stream, seq, entries });
    times.push(performance.now() - begun);
  }
}

async function isCounted(db: Database, entries: number): Promise<boolean> {
  const [row] = await db.query(
    `SELECT CAST((SELECT SUM(bytes_up) FROM usage_minutes) AS BIGINT) AS counted,
      CAST((SELECT SUM(lifetime_up) FROM subscriptions) AS BIGINT) AS charged`,
  );
  const expected = BigInt(entries * BYTES_UP);
  return row?.counted === expected && row.charged === expected;
}
