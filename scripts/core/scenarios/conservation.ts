/**
 * Nothing is lost and nothing is counted twice, whatever is killed and whichever replies are lost: C1.
 *
 * @module
 */
import type { Row } from "../../bench/rows.ts";
import type { RuntimeName } from "../../../tests/e2e/process.ts";
import { Fleet } from "../fleet.ts";
import { differences, emitted, readLedger } from "../ledger.ts";
import { CoreStage, type StoreKind } from "../stage.ts";

/** How much, how long, how often. */
export interface Conservation {
  readonly agents: number;
  readonly users: number;
  readonly seconds: number;
  readonly coreKillSeconds: number;
  readonly agentKillSeconds: number;
  /** How many times faster than usual agents call. */
  readonly speed: number;
}

const DRAIN_MS = 60_000;

/** Runs it. */
export async function conservation(runtime: RuntimeName, store: StoreKind, options: Conservation): Promise<Row> {
  const { agents, users, seconds, coreKillSeconds, agentKillSeconds, speed } = options;
  await using stage = await CoreStage.open(runtime, store);
  const population = await stage.admin.populate({ nodes: agents, users });
  const startedAt = Date.now();
  const span = { startedAt, endsAt: startedAt + seconds * 1000 };
  await using fleet = new Fleet(stage.folder);
  const { nodes } = population;
  const plan = { cores: [stage.place], nodes, folder: stage.folder, span, speed, lostCalls: 0.05, lostReplies: 0.2 };
  await fleet.start(plan);
  const kills = { core: 0, agents: 0 };
  const [coreKills, agentKills] = await Promise.all([
    every(coreKillSeconds, span.endsAt, () => stage.restart()),
    every(agentKillSeconds, span.endsAt, () => fleet.restart()),
  ]);
  [kills.core, kills.agents] = [coreKills, agentKills];
  await sleep(Math.max(0, span.endsAt - Date.now()));
  const counts = await fleet.drained(DRAIN_MS);
  const drainedMs = Date.now() - span.endsAt;
  const code = await stage.core.process.stop();
  const ledger = await readLedger(stage.env);
  const expected = emitted(population, span);
  const difference = differences(ledger, expected);
  return {
    id: "C1",
    pass: Object.keys(difference).length === 0 && counts.faults.length === 0 && code === 0 && expected.users.up > 0,
    measured: {
      ...{ store, agents, users, seconds, kills, difference, bytes: ledger.rows.up + ledger.rows.down },
      ...{ drainedMs, ...counts },
    },
    demand: "rows = counters = bytes emitted, difference 0",
  };
}

/** Does it again and again until the time is over; how often. */
async function every(seconds: number, until: number, run: () => Promise<void>): Promise<number> {
  let count = 0;
  for (;;) {
    const ms = seconds * 1000 * (0.8 + Math.random() * 0.4);
    if (Date.now() + ms >= until) return count;
    await sleep(ms);
    await run();
    count++;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
