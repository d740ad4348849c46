/**
 * Agents of a process of their own, so that they can be killed: the plan comes as the first argument, a file of JSON.
 *
 * Says `drained` with its counts when the traffic is over and Core has all of it.
 *
 * @module
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Agent } from "./agent.ts";
import { lossy, type NodeDoor, spread } from "./door.ts";
import { grpcClient, GrpcDoor } from "./grpc_door.ts";
import { HttpDoor } from "./http_door.ts";
import type { FleetPlan } from "./fleet.ts";

const plan = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as FleetPlan;

const agents = plan.nodes.map(({ code, key }, index) => {
  const folder = join(plan.folder, code);
  mkdirSync(folder, { recursive: true });
  // Every fourth node has HTTP alone.
  const doors = plan.cores.map(({ base, grpcPort }): NodeDoor =>
    index % 4 === 3 ? new HttpDoor(base, key) : new GrpcDoor(grpcClient(grpcPort), base, key)
  );
  const agent = new Agent({
    ...{ code, folder, span: plan.span, speed: plan.speed, spreadMs: plan.spreadMs, mostRetryMs: plan.mostRetryMs },
    door: lossy(spread(doors), plan.lostCalls, plan.lostReplies),
  });
  agent.start();
  return agent;
});

await Promise.all(agents.map(({ drained }) => drained));
const total = { calls: 0, lostCalls: 0, rewinds: 0, gaps: 0, syncs: 0, faults: [] as string[] };
for (const { counts } of agents) {
  total.calls += counts.calls;
  total.lostCalls += counts.lostCalls;
  total.rewinds += counts.rewinds;
  total.gaps += counts.gaps;
  total.syncs += counts.syncs;
  total.faults.push(...counts.faults);
}
process.stdout.write(
  `drained ${JSON.stringify({ ...total, faults: total.faults.slice(0, 5) })}\n`,
  () => process.exit(0),
);
