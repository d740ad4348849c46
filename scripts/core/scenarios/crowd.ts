/**
 * A connection of each agent of a large fleet: what they cost while they are silent, and how all of them come back when
 * Core was gone: CC.
 *
 * @module
 */
import { join } from "node:path/posix";
import type { RuntimeName } from "../../../tests/e2e/process.ts";
import { residentMegabytes } from "../../bench/proc_files.ts";
import type { Row } from "../../bench/rows.ts";
import type { CrowdPlan, CrowdResult, Settled } from "../crowd_child.ts";
import { startScript } from "../fleet.ts";
import { CoreStage, type StoreKind } from "../stage.ts";

const IDLE_MB = 1_200;
const SETTLED_SECONDS = 60;
const SLOWEST_MS = 10_000;
/** Of 200 configurations that Core builds a second at most, with room. */
const SYNCED_PER_SECOND = 50;

/** Runs it. */
export async function crowd(
  runtime: RuntimeName,
  store: StoreKind,
  { agents, perSecond, idleSeconds, afterSeconds }: {
    readonly agents: number;
    readonly perSecond: number;
    readonly idleSeconds: number;
    readonly afterSeconds: number;
  },
): Promise<Row> {
  await using stage = await CoreStage.open(runtime, store);
  const { nodes, userIds } = await stage.admin.populate({ nodes: agents, users: 5 });
  const path = join(stage.folder, "crowd.json");
  const plan: CrowdPlan = { grpcPort: stage.place.grpcPort, nodes, userIds, perSecond, idleSeconds, afterSeconds };
  await Deno.writeTextFile(path, JSON.stringify(plan));
  const emptyMb = residentMegabytes(stage.core.process.pid);
  await using child = await startScript("crowd_child.ts", [path]);
  await child.line(/^synced /, { ms: (60 + agents / SYNCED_PER_SECOND) * 1000 });
  await child.line(/^live /, { ms: (idleSeconds + 10) * 1000 });
  const idleMb = residentMegabytes(stage.core.process.pid);
  // Everybody has called at least once.
  await new Promise((resolve) => setTimeout(resolve, afterSeconds * 1000));
  await stage.restart();
  const settled = await tail<Settled>(child, "settled", SETTLED_SECONDS * 2);
  const result = await tail<CrowdResult>(child, "result", afterSeconds + 60);
  const liveMb = residentMegabytes(stage.core.process.pid);
  const code = await stage.core.process.stop();
  return {
    id: "CC",
    pass: idleMb <= IDLE_MB && settled.seconds <= SETTLED_SECONDS && result.slowestMs <= SLOWEST_MS &&
      settled.slowestMs <= SLOWEST_MS && Object.keys(result.errors).length === 0 && code === 0,
    measured: {
      ...{ store, agents, emptyMb: Math.round(emptyMb), idleMb: Math.round(idleMb), liveMb: Math.round(liveMb) },
      ...{ settledSeconds: Math.round(settled.seconds * 10) / 10, slowestBackMs: Math.round(settled.slowestMs) },
      ...result,
    },
    demand: `idle <= ${IDLE_MB} MB, settled <= ${SETTLED_SECONDS} s, no call over ${SLOWEST_MS / 1000} s, 0 errors`,
  };
}

async function tail<T>(child: Awaited<ReturnType<typeof startScript>>, word: string, seconds: number): Promise<T> {
  const line = await child.line(new RegExp(`^${word} `), { ms: seconds * 1000 });
  return JSON.parse(line.slice(word.length + 1));
}
