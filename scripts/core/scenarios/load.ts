/**
 * The calls of a large fleet, all kinds mixed, against one Core: CL.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path/posix";
import type { Row } from "../../bench/rows.ts";
import type { RuntimeName } from "../../../tests/e2e/process.ts";
import { startScript } from "../fleet.ts";
import { HttpDoor } from "../http_door.ts";
import { readLedger } from "../ledger.ts";
import type { LoadPlan, LoadResult } from "../load_child.ts";
import { CoreStage, type StoreKind } from "../stage.ts";

const WARM_SECONDS = 3;

/** Runs it. */
export async function mixedLoad(
  runtime: RuntimeName,
  store: StoreKind,
  { seconds, rate, p99Ms, nodes, users }: {
    readonly seconds: number;
    readonly rate: number;
    readonly p99Ms: number;
    readonly nodes: number;
    readonly users: number;
  },
): Promise<Row> {
  await using stage = await CoreStage.open(runtime, store);
  const made = await stage.admin.populate({ nodes, users });
  const planned: { key: string; protocolId: number; revision: number }[] = [];
  for (const { key, protocolId } of made.nodes) {
    const door = new HttpDoor(stage.place.base, key);
    const { revision } = await door.latestConfig();
    await door.configApplied(revision);
    planned.push({ key, protocolId, revision });
  }
  const people = made.userIds.map((userId, index) => ({ userId, subscriptionId: made.subscriptionIds[index]! }));
  const path = join(stage.folder, "load.json");
  const plan: LoadPlan = {
    ...{ ...stage.place, nodes: planned, users: people, rate, seconds },
    ...{ warmSeconds: WARM_SECONDS, connections: 8 },
  };
  await Deno.writeTextFile(path, JSON.stringify(plan));
  await using child = await startScript("load_child.ts", [path]);
  await child.line(/^warm$/, { ms: (WARM_SECONDS + 60) * 1000 });
  const { pid } = stage.core.process;
  const [cpuBefore, waitedBefore] = [cpuSeconds(pid), waitedSeconds(pid)];
  const line = await child.line(/^result /, { ms: (seconds + 60) * 1000 });
  const result = JSON.parse(line.slice("result ".length)) as LoadResult;
  const coreCpu = cpuSeconds(pid) - cpuBefore;
  const coreWaited = waitedSeconds(pid) - waitedBefore;
  const code = await stage.core.process.stop();
  const { rows, lifetime, orphans } = await readLedger(stage.env);
  const { bytes } = result;
  const counted = [rows.up, rows.down, lifetime.up, lifetime.down].every((sum) => sum === bytes) && orphans.up === 0;
  const failed = Object.keys(result.errors).length;
  return {
    id: "CL",
    pass: failed === 0 && counted && code === 0 && result.perSecond >= rate * 0.98 && result.p99 <= p99Ms,
    measured: {
      store,
      seconds,
      nodes,
      ...result,
      coreCpuSeconds: tenths(coreCpu),
      coreWaitedSeconds: tenths(coreWaited),
      counted,
    },
    demand: `>= ${rate} mixed calls/s, 0 errors, p99 <= ${p99Ms} ms, every byte counted`,
  };
}

/** Of a process so far; ticks are hundredths of a second. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** How long the first thread of a process was ready to run and got no processor: what others on this machine cost it. */
function waitedSeconds(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ")[1]) / 1e9;
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
