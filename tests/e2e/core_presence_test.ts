/** Who is online and how nodes are, through the program itself: reports over gRPC, questions over HTTP, a kill between. */
import { grpcClient, GrpcDoor } from "../../scripts/core/grpc_door.ts";
import type { SystemStats } from "../../src/core/contract/types.ts";
import { deepEqual, equal, match, ok } from "../harness.ts";
import { CoreProcess } from "./core_process.ts";
import { nodeMissing, type RuntimeName } from "./process.ts";

const system: SystemStats = {
  ...{ uptimeSeconds: 60, cpuPercent: 12.5, cpuCores: 4, ramUsed: 1_000, ramTotal: 4_000, diskUsed: 5, diskTotal: 9 },
  ...{ netRxPerSec: 10, netTxPerSec: 20, netRxTotal: 100, netTxTotal: 200 },
};

type Json = Record<string, unknown>;

async function ask(core: CoreProcess, method: string, path: string, body?: Json): Promise<Json> {
  const answer = await fetch(`${core.base}${path}`, {
    method,
    headers: { authorization: `Bearer ${core.adminToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return answer.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : { text };
}

for (const runtime of ["deno", "node"] as const) {
  const name = `core on ${runtime}: reports become who is online, from where, and figures; a kill brings nobody anew`;
  Deno.test({ name, ignore: runtime === "node" && nodeMissing !== undefined, fn: () => reports(runtime) });
}

async function reports(runtime: RuntimeName): Promise<void> {
  const core = await CoreProcess.start({ runtime });
  try {
    const registered = await fetch(`${core.base}/node/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ code: "n1", name: "N 1", ip: "203.0.113.7", port: 8080, region: "eu" }),
    });
    const { nodeId, authKey } = await registered.json() as { nodeId: number; authKey: string };
    const user = await ask(core, "POST", "/admin/users", { name: "ann" });
    const protocol = await ask(core, "POST", "/admin/node-protocols", {
      ...{ nodeId, service: "xray", protocol: "vless", tag: "vless-443", settings: { port: 443 } },
    });
    const [userId, nodeProtocolId] = [Number(user.id), Number(protocol.id)];
    await ask(core, "POST", "/admin/links", { userId, kind: "xray", nodeProtocolIds: [nodeProtocolId] });

    const report = async (): Promise<void> => {
      const client = grpcClient(core.grpcPort);
      try {
        const door = new GrpcDoor(client, core.base, authKey);
        const until = performance.now() + 10_000;
        while (Object.keys((await door.latestConfig()).clientMap).length === 0) {
          ok(performance.now() < until, "the configuration has the user");
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        await door.nodeStats(system);
        const ips = [{ ip: "198.51.100.4", lastSeen: new Date().toISOString() }];
        await door.onlineUsers([{ userId, nodeProtocolId, ips }]);
      } finally {
        client.close();
      }
    };
    await report();
    const online = await ask(core, "GET", `/admin/users/${userId}/online`);
    deepEqual([online.online, online.nodeProtocolIds], [true, [nodeProtocolId]]);
    const everybody = await ask(core, "GET", `/admin/online?nodeProtocolId=${nodeProtocolId}`);
    deepEqual((everybody.items as Json[]).map((item) => item.userId), [userId]);
    const ips = await ask(core, "GET", `/admin/users/${userId}/ips`);
    deepEqual((ips.items as Json[]).map(({ ip }) => ip), ["198.51.100.4"]);
    const status = await ask(core, "GET", `/admin/nodes/${nodeId}/runtime-status`);
    deepEqual([status.source, status.stale, status.system], ["core", false, system]);
    const history = await ask(core, "GET", `/admin/nodes/${nodeId}/stats-history?step=2s`);
    deepEqual((history.points as Json[]).map(({ cpuPercent }) => cpuPercent), [12.5]);
    deepEqual(await ask(core, "GET", "/readyz"), { status: "ready" });
    const arrivals = async (): Promise<number> => {
      const { text } = await ask(core, "GET", "/metrics");
      match(String(text), /core_grpc_calls_total\{.*method="ReportOnlineUsers".*\} 1/);
      return Number(/core_users_arrived_total (\d+)/.exec(String(text))?.[1] ?? 0);
    };
    equal(await arrivals(), 1);

    await core.process[Symbol.asyncDispose]();
    await core.again();
    equal((await ask(core, "GET", `/admin/users/${userId}/online`)).online, true);
    await report();
    equal(await arrivals(), 0);
    equal((await ask(core, "DELETE", `/admin/users/${userId}/ips`)).erased, 1);
  } finally {
    await core[Symbol.asyncDispose]();
  }
}
