/**
 * Core is restored from a backup while its agents went on: they send again what it forgot, and it never gives a revision
 * to another configuration: C4.
 *
 * @module
 */
import { cp, rm } from "node:fs/promises";
import { dirname, join } from "node:path/posix";
import type { Row } from "../../bench/rows.ts";
import type { RuntimeName } from "../../../tests/e2e/process.ts";
import { num } from "../../../src/core/store/database.ts";
import { Fleet } from "../fleet.ts";
import { differences, emitted, readLedger, withDatabase } from "../ledger.ts";
import { CoreStage, onPostgres, type StoreKind } from "../stage.ts";

const DRAIN_MS = 60_000;
const SETTLE_MS = 20_000;
const LOOK_MS = 100;
/** What agents are asked for, and how much later one may come. */
const HEARTBEAT_MS = 10_000 * 1.2;
/** Agents that found nobody try again within this time. */
const RECONNECT_MS = 1_500;

/** Backs up, goes on until the backup is as old as asked for, and restores it. */
export async function restore(
  runtime: RuntimeName,
  store: StoreKind,
  { agents, users, aroundSeconds, ageSeconds, speed }: {
    readonly agents: number;
    readonly users: number;
    /** Before the backup, and after it was restored. */
    readonly aroundSeconds: number;
    /** The backup's age when it is restored; agents live `speed` times as long in it. */
    readonly ageSeconds: number;
    /** How many times faster than usual agents call. */
    readonly speed: number;
  },
): Promise<Row> {
  await using stage = await CoreStage.open(runtime, store);
  const population = await stage.admin.populate({ nodes: agents, users });
  await using fleet = new Fleet(stage.folder);
  const startedAt = Date.now();
  const [aroundMs, ageMs] = [aroundSeconds * 1000, ageSeconds * 1000];
  const plan = {
    ...{ cores: [stage.place], nodes: population.nodes, folder: stage.folder, speed },
    // The traffic ends when all of this is over.
    ...{ lostCalls: 0, lostReplies: 0, span: { startedAt, endsAt: startedAt + 100 * (aroundMs + ageMs) + DRAIN_MS } },
  };
  await fleet.start(plan);
  await sleep(aroundMs);
  await stage.core.process.stop();
  await copyOf(stage, "save");
  await stage.core.again();
  await sleep(ageMs / 2);
  // Revisions that the backup does not know.
  for (const { protocolId } of population.nodes) {
    await stage.admin.call("PATCH", `/admin/node-protocols/${protocolId}`, { settings: { port: 8443 } });
  }
  await sleep(ageMs / 2);
  const before = await settled(stage, (_, { desired, applied }) => desired > 1 && applied === desired);
  await stage.kill();
  await copyOf(stage, "restore");
  await stage.core.again();
  const restoredAt = performance.now();
  const isNew = (index: number, { desired, applied, status }: Revision): boolean =>
    status === "synced" && applied === desired && desired > before[index]!.desired;
  const after = await settled(stage, isNew);
  const resyncMs = Math.round(performance.now() - restoredAt);
  const resyncLimitMs = Math.round(2 * HEARTBEAT_MS / speed + RECONNECT_MS);
  await sleep(aroundMs);
  await fleet.kill();
  const span = { startedAt, endsAt: Date.now() };
  await fleet.start({ ...plan, span });
  const counts = await fleet.drained(DRAIN_MS);
  await stage.core.process.stop();
  const ledger = await readLedger(stage.env);
  const difference = differences(ledger, emitted(population, span));
  const synced = after.filter((revision, index) => isNew(index, revision)).length;
  return {
    id: "C4",
    pass: Object.keys(difference).length === 0 && synced === agents && counts.faults.length === 0 &&
      resyncMs <= resyncLimitMs,
    measured: {
      ...{ store, agents, users, backupMinutes: Math.round(ageSeconds * speed / 60) },
      ...{ difference, synced, resyncMs, resyncLimitMs },
      ...{ bytes: ledger.rows.up + ledger.rows.down, ...counts },
      ...{ before: before[0], after: after[0] },
    },
    demand: "difference 0 after the replay; every node runs a new revision after two heartbeats",
  };
}

async function copyOf(stage: CoreStage, what: "save" | "restore"): Promise<void> {
  const url = stage.env["DATABASE_URL"]!;
  if (stage.store === "sqlite") {
    const folder = dirname(url.replace("sqlite:", ""));
    const backup = join(stage.folder, "backup");
    const [from, to] = what === "save" ? [folder, backup] : [backup, folder];
    await rm(to, { recursive: true, force: true });
    return await cp(from, to, { recursive: true });
  }
  const name = new URL(url).pathname.slice(1);
  const [from, to] = what === "save" ? [name, `${name}_backup`] : [`${name}_backup`, name];
  await onPostgres(url, `DROP DATABASE IF EXISTS ${to} WITH (FORCE)`, `CREATE DATABASE ${to} TEMPLATE ${from}`);
}

interface Revision {
  readonly desired: number;
  readonly applied: number;
  readonly status: string;
}

/** Where all nodes are once each of them is there, or when that takes too long. */
async function settled(
  stage: CoreStage,
  there: (index: number, revision: Revision) => boolean,
): Promise<readonly Revision[]> {
  for (const until = Date.now() + SETTLE_MS;;) {
    const found = await withDatabase(stage.env, async (db) => {
      const rows = await db.query("SELECT desired_revision, applied_revision, sync_status FROM nodes ORDER BY id");
      return rows.map((row): Revision => ({
        desired: num(row.desired_revision),
        applied: num(row.applied_revision),
        status: String(row.sync_status),
      }));
    });
    if (Date.now() > until || found.every((revision, index) => there(index, revision))) return found;
    await sleep(LOOK_MS);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
