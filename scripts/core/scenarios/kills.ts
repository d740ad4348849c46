/**
 * Core is killed again and again at any moment under load; nothing that it acknowledged is lost, nothing is counted
 * twice: CK.
 *
 * @module
 */
import { join } from "node:path";
import type { Row } from "../../bench/rows.ts";
import type { RuntimeName } from "../../../tests/e2e/process.ts";
import { Fleet } from "../fleet.ts";
import { Journal } from "../journal.ts";
import { differences, emitted, readLedger } from "../ledger.ts";
import { CoreStage, type StoreKind } from "../stage.ts";

/** Agents need up to a second to connect again: some kills come before the load, most of them into it. */
const RUNNING_MS = 3_000;
/** A report that a kill took is soon on its way again. */
const MOST_RETRY_MS = 250;
/** The load that is demanded: reports acknowledged between two kills, on average. */
const REPORTS_PER_KILL = 10;
const DRAIN_MS = 60_000;
/** Long enough for every cycle; the traffic ends with the last of them. */
const CYCLE_MS = 12_000;

/** Kills it so many times. */
export async function coreKills(runtime: RuntimeName, store: StoreKind, kills: number): Promise<Row> {
  await using stage = await CoreStage.open(runtime, store);
  const population = await stage.admin.populate({ nodes: 10, users: 30 });
  await using fleet = new Fleet(stage.folder);
  const startedAt = Date.now();
  // Every agent reports five times a second.
  const plan = {
    ...{ cores: [stage.place], nodes: population.nodes, folder: stage.folder, speed: 300 },
    ...{ mostRetryMs: MOST_RETRY_MS, lostCalls: 0, lostReplies: 0 },
    span: { startedAt, endsAt: startedAt + kills * CYCLE_MS },
  };
  await fleet.start(plan);
  let slowestStartMs = 0;
  for (let kill = 0; kill < kills; kill++) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * RUNNING_MS));
    await stage.kill();
    const killedAt = performance.now();
    await stage.core.again();
    slowestStartMs = Math.max(slowestStartMs, Math.round(performance.now() - killedAt));
  }
  await fleet.kill();
  const acknowledged = population.nodes.reduce((sum, { code }) => sum + acknowledgedBy(stage.folder, code), 0);
  // The agents find the end of the traffic in their plan when they come back.
  const span = { startedAt, endsAt: Date.now() };
  await fleet.start({ ...plan, span });
  const counts = await fleet.drained(DRAIN_MS);
  const code = await stage.core.process.stop();
  const ledger = await readLedger(stage.env);
  const difference = differences(ledger, emitted(population, span));
  return {
    id: "CK",
    pass: Object.keys(difference).length === 0 && counts.faults.length === 0 && code === 0 &&
      acknowledged >= kills * REPORTS_PER_KILL,
    measured: {
      ...{ store, kills, acknowledged, difference, bytes: ledger.rows.up + ledger.rows.down, slowestStartMs },
      afterLastKill: counts,
    },
    demand: `0 acknowledged reports lost, 0 counted twice, >= ${REPORTS_PER_KILL} acknowledged between kills`,
  };
}

/** How many reports of a node Core acknowledged, as the node's journal has it. */
function acknowledgedBy(folder: string, code: string): number {
  const journal = new Journal(join(folder, code));
  journal.drop();
  return journal.acknowledged;
}
