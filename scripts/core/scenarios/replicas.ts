/**
 * Two Cores on one PostgreSQL and one Redis: every call goes to one of them, a kill ends one of them, and users come
 * online once: CR.
 *
 * @module
 */
import type { Row } from "../../bench/rows.ts";
import { type NodePassProcess, type RuntimeName, startCommand } from "../../../tests/e2e/process.ts";
import { freePort } from "../../../tests/unit/tunnel/forward_fixture.ts";
import { num } from "../../../src/core/store/database.ts";
import { Fleet } from "../fleet.ts";
import { grpcClient, GrpcDoor } from "../grpc_door.ts";
import { differences, emitted, readLedger, withDatabase } from "../ledger.ts";
import { CoreStage } from "../stage.ts";

const DRAIN_MS = 60_000;
const GAP_MS = 1_000;
/** Longer than the pause after which somebody comes online anew. */
const ROUND_MS = 1_600;

/** Runs both parts. */
export async function replicas(
  runtime: RuntimeName,
  { agents, users, seconds, rounds }: {
    readonly agents: number;
    readonly users: number;
    readonly seconds: number;
    readonly rounds: number;
  },
): Promise<Row> {
  const own = { USER_ONLINE_GAP_MS: String(GAP_MS) };
  await using stage = await CoreStage.open(runtime, "postgres", own);
  const population = await stage.admin.populate({ nodes: agents, users });
  const ports = { PORT: String(await freePort()), GRPC_PORT: String(await freePort()) };
  const secondPlace = { base: `http://127.0.0.1:${ports.PORT}`, grpcPort: Number(ports.GRPC_PORT) };
  const start = async (): Promise<NodePassProcess> => {
    const second = startCommand(["core"], { runtime, env: { ...stage.env, ...ports } });
    await second.line("Core started");
    return second;
  };
  let second = await start();
  try {
    const online = await onlineOnce(stage, secondPlace, population.nodes, population.userIds, rounds);
    await using fleet = new Fleet(stage.folder);
    const startedAt = Date.now();
    const span = { startedAt, endsAt: startedAt + seconds * 1000 };
    const { nodes } = population;
    const cores = [stage.place, secondPlace];
    await fleet.start({ cores, nodes, folder: stage.folder, span, speed: 100, lostCalls: 0.02, lostReplies: 0.1 });
    await sleep(seconds * 400);
    second.signal("SIGKILL");
    await second.exited;
    second = await start();
    const counts = await fleet.drained(DRAIN_MS + seconds * 1000);
    await Promise.all([second.stop(), stage.core.process.stop()]);
    const difference = differences(await readLedger(stage.env), emitted(population, span));
    return {
      id: "CR",
      pass: Object.keys(difference).length === 0 && online.missed === 0 && online.twice === 0 &&
        counts.faults.length === 0,
      measured: { agents, users, seconds, difference, ...online, ...counts },
      demand: "difference 0; one user.online per pause, 0 missed, 0 twice",
    };
  } finally {
    await second[Symbol.asyncDispose]();
  }
}

/** Two nodes report the same users to two replicas at the same time, again and again after a pause. */
async function onlineOnce(
  stage: CoreStage,
  secondPlace: { readonly base: string; readonly grpcPort: number },
  nodes: readonly { readonly key: string; readonly protocolId: number }[],
  userIds: readonly number[],
  rounds: number,
): Promise<{ trials: number; missed: number; twice: number }> {
  const places = [stage.place, secondPlace];
  const clients = places.map(({ grpcPort }) => grpcClient(grpcPort));
  const ends = places.map(({ base }, index) => ({
    door: new GrpcDoor(clients[index]!, base, nodes[index]!.key),
    nodeProtocolId: nodes[index]!.protocolId,
  }));
  try {
    for (const { door } of ends) await door.latestConfig();
    for (let round = 0; round < rounds; round++) {
      const lastSeen = new Date().toISOString();
      await Promise.all(ends.map(({ door, nodeProtocolId }) =>
        door.onlineUsers(userIds.map((userId) => ({
          userId,
          nodeProtocolId,
          ips: [{ ip: `198.51.100.${userId % 250 + 1}`, lastSeen }],
        })))
      ));
      await sleep(ROUND_MS);
    }
  } finally {
    for (const client of clients) client.close();
  }
  return await withDatabase(stage.env, async (db) => {
    const rows = await db.query(
      "SELECT user_id, COUNT(*) AS events FROM events_outbox WHERE type = 'user.online' GROUP BY user_id",
    );
    const events = new Map(rows.map((row) => [num(row.user_id), num(row.events)]));
    const surplus = userIds.map((id) => (events.get(id) ?? 0) - rounds);
    return {
      trials: userIds.length * rounds,
      missed: -surplus.filter((each) => each < 0).reduce((sum, each) => sum + each, 0),
      twice: surplus.filter((each) => each > 0).reduce((sum, each) => sum + each, 0),
    };
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
