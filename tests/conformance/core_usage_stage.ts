/**
 * The counting of traffic on a database, with what it needs of Core.
 *
 * @module
 */
import type { UsageEntry } from "../../src/core/contract/types.ts";
import type { NewEvent } from "../../src/core/events/types.ts";
import { isFailure } from "../../src/core/failure.ts";
import type { CoreParts } from "../../src/core/parts.ts";
import type { Database } from "../../src/core/store/database.ts";
import { createUsage, type Usage } from "../../src/core/usage/usage.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { FakeClock } from "../fake_clock.ts";
import { addNode, addProtocol, addUser } from "./core_composition_stage.ts";
import { onEachStore } from "./core_stores.ts";

/** The stream of the agent of a test. */
export const STREAM = "0d4c7f2a-91b6-4e38-8a55-2f7be1c09d14";

/** Somebody who uses a node. */
export interface Subscriber {
  readonly userId: number;
  readonly subscriptionId: number;
  readonly nodeProtocolId: number;
}

/** The counting, and what is around it. */
export interface UsageStage {
  readonly usage: Usage;
  readonly db: Database;
  readonly clock: FakeClock;
  readonly events: NewEvent[];
  /** Nodes whose configuration was said to change. */
  readonly changed: number[];
  readonly parts: CoreParts;
  readonly nodeId: number;
  readonly protocolId: number;
  /** Another one on the same database: another replica. */
  again(): Usage;
  /** Somebody with a subscription who was sent to the node. */
  subscriber(name: string): Promise<Subscriber>;
  /** Runs a job. */
  job(name: string): Promise<void>;
}

/** A test with a node of its own. */
export function usageTest(name: string, run: (stage: UsageStage) => Promise<void>): void {
  onEachStore(name, async (db) => {
    const closers: Usage[] = [];
    try {
      await run(await open(db, closers));
    } finally {
      for (const usage of closers) await usage.close();
    }
  });
}

async function open(db: Database, closers: Usage[]): Promise<UsageStage> {
  const clock = new FakeClock();
  const events: NewEvent[] = [];
  const changed: number[] = [];
  const jobs = new Map<string, (signal: AbortSignal) => Promise<void>>();
  const parts = {
    runtime: { ...await detectRuntime(), clock },
    logger: silentLogger,
    db,
    events: { emit: (_: Database, event: NewEvent) => Promise.resolve(void events.push(event)) },
    jobs: { every: (name: string, _: number, job: (signal: AbortSignal) => Promise<void>) => void jobs.set(name, job) },
    metrics: { count: () => {}, observe: () => {} },
  } as unknown as CoreParts;
  const composition = {
    mark: () => Promise.resolve(),
    changed: (scope: { readonly nodeIds: readonly number[] } | "all") => {
      if (scope !== "all") changed.push(...scope.nodeIds);
    },
  };
  const again = (): Usage => {
    const usage = createUsage(parts, { composition, gatherMs: 0 });
    closers.push(usage);
    return usage;
  };
  const nodeId = await addNode(db, "de-1");
  const protocolId = await addProtocol(db, nodeId, "vless", {});
  const usage = again();
  return {
    ...{ usage, db, clock, events, changed, parts, nodeId, protocolId, again },
    async subscriber(name) {
      const [userId, subscriptionId] = await addUser(db, name);
      await deliver(db, nodeId, protocolId, userId, subscriptionId, clock.wall());
      return { userId, subscriptionId, nodeProtocolId: protocolId };
    },
    job: async (name) => await jobs.get(name)?.(new AbortController().signal),
  };
}

/** Notes that a node was sent a pair. */
export async function deliver(
  db: Database,
  nodeId: number,
  protocolId: number,
  userId: number,
  subscriptionId: number,
  at: number,
): Promise<void> {
  await db.exec(
    `INSERT INTO delivered_pairs (node_id, node_protocol_id, user_id, subscription_id, last_delivered_at)
      VALUES ($1, $2, $3, $4, $5)`,
    [nodeId, protocolId, userId, subscriptionId, at],
  );
}

/** One entry. */
export function entry(of: Subscriber, bytesUp: number, bytesDown: number, recordedAt: number): UsageEntry {
  return { ...of, bytesUp, bytesDown, recordedAt };
}

/** What a call was refused with; null when it was not. */
export async function refusal(
  call: Promise<void>,
): Promise<{ readonly code: string; readonly nextSeq?: number } | null> {
  try {
    await call;
    return null;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return error.nextSeq === undefined ? { code: error.failure } : { code: error.failure, nextSeq: error.nextSeq };
  }
}

/** Rows of a table as numbers and text. */
export async function rowsOf(db: Database, sql: string): Promise<Record<string, unknown>[]> {
  const rows = await db.query(sql);
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === "bigint" && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value,
      ]),
    )
  );
}

/** The sums of the rows of minutes, and those of the counters. */
export async function sums(db: Database): Promise<Record<string, unknown>> {
  const [rows] = await rowsOf(db, "SELECT SUM(bytes_up) AS up, SUM(bytes_down) AS down FROM usage_minutes");
  const [counters] = await rowsOf(
    db,
    "SELECT SUM(used_up) AS used_up, SUM(used_down) AS used_down, SUM(lifetime_up) AS all_up FROM subscriptions",
  );
  return { ...rows, ...counters };
}
