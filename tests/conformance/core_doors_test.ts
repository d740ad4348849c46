/** HTTP and gRPC: the same five hundred calls through each door of a Core of its own have the same ends and effects. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Admin, type Population } from "../../scripts/core/admin.ts";
import type { NodeDoor } from "../../scripts/core/door.ts";
import { grpcClient, GrpcDoor } from "../../scripts/core/grpc_door.ts";
import { HttpDoor } from "../../scripts/core/http_door.ts";
import { readCoreSettings } from "../../src/core/settings.ts";
import { openDatabase } from "../../src/core/store/open.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { type CoreHandle, startCore } from "../../src/start/core.ts";
import { deepEqual, equal, ok, test } from "../harness.ts";
import { type Caller, type Case, doorCases, outcomeOf } from "./core_doors_table.ts";

/** What is compared; times of arrival and links differ. */
const EFFECTS: readonly string[] = [
  `SELECT node_id, node_protocol_id, user_id, subscription_id, minute, bytes_up, bytes_down, counted_up, counted_down
    FROM usage_minutes ORDER BY 1, 2, 3, 4, 5`,
  `SELECT node_id, node_protocol_id, user_id, subscription_id, minute, reason, bytes_up, bytes_down
    FROM usage_orphans ORDER BY 1, 2, 3, 4, 5, 6`,
  "SELECT node_id, stream_id, kind, last_seq FROM usage_cursors ORDER BY 1, 2, 3",
  "SELECT id, used_up, used_down, lifetime_up, lifetime_down, status FROM subscriptions ORDER BY 1",
  "SELECT node_id, tag, unmanaged, traffic_bytes_up, traffic_bytes_down FROM node_outbounds ORDER BY 1, 2",
  // A node that was disabled is composed when there is time for it.
  `SELECT id, status, sync_status, desired_revision, delivered_revision, applied_revision, ip
    FROM nodes WHERE status <> 'disabled' ORDER BY 1`,
  "SELECT id, status, ip FROM nodes ORDER BY 1",
  "SELECT node_id, node_protocol_id, user_id, subscription_id FROM delivered_pairs ORDER BY 1, 2, 3, 4",
  "SELECT type, node_id, user_id, COUNT(*) AS events FROM events_outbox GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
];

interface Outcome {
  readonly ends: readonly string[];
  readonly effects: readonly string[];
}

type Doors = (core: CoreHandle, key: string) => { readonly door: NodeDoor; readonly close: () => void };

test("doors of Core: the same calls over HTTP and gRPC have the same ends and effects", async () => {
  const now = Date.now() - Date.now() % 60_000;
  const http = await drive(now, ({ httpUrl }, key) => ({ door: new HttpDoor(httpUrl, key), close() {} }));
  const grpc = await drive(now, ({ httpUrl, grpc: { port } }, key) => {
    const client = grpcClient(port);
    return { door: new GrpcDoor(client, httpUrl, key), close: () => client.close() };
  });
  equal(http.cases.length, 500);
  for (const [index, { name, caller }] of http.cases.entries()) {
    equal(grpc.ends[index], http.ends[index], `${index}, ${caller}: ${name}`);
  }
  for (const [index, effect] of http.effects.entries()) deepEqual(grpc.effects[index], effect, EFFECTS[index]);
  const kinds = new Set(http.ends.map((end) => /^[A-Z_]+/.exec(end)?.[0] ?? "ok"));
  for (const kind of ["ok", "VALIDATION_FAILED", "SEQ_GAP", "REVISION_AHEAD", "AUTH_INVALID", "AUTH_REQUIRED"]) {
    ok(kinds.has(kind), `${kind} is among ${[...kinds]}`);
  }
  ok(kinds.has("NODE_DISABLED"));
  // Tables in which nothing is prove nothing.
  for (const effect of http.effects) ok(effect !== "[]");
});

async function drive(now: number, open: Doors): Promise<Outcome & { readonly cases: readonly Case[] }> {
  const folder = await mkdtemp(join(tmpdir(), "nodepass-doors-"));
  const env: Record<string, string> = { PORT: "0", GRPC_PORT: "0", DATABASE_URL: `sqlite:${join(folder, "core.db")}` };
  const settings = readCoreSettings((name) => env[name]);
  try {
    const core = await startCore({ settings });
    const population = await fill(core);
    const keys: Record<Caller, string> = {
      first: population.nodes[0]!.key,
      second: population.nodes[1]!.key,
      disabled: population.nodes[2]!.key,
      wrong: "nk1.AAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
      none: "",
    };
    const doors = Object.fromEntries(Object.entries(keys).map(([caller, key]) => [caller, open(core, key)]));
    const cases = doorCases(population, now);
    const ends: string[] = [];
    try {
      for (const each of cases) ends.push(await outcomeOf(each, doors[each.caller]!.door));
    } finally {
      for (const { close } of Object.values(doors)) close();
      await core.close();
    }
    const db = await openDatabase(settings.database, await detectRuntime(), silentLogger);
    try {
      const effects: string[] = [];
      for (const sql of EFFECTS) {
        const rows = await db.query(sql);
        effects.push(JSON.stringify(rows, (_, value) => typeof value === "bigint" ? String(value) : value));
      }
      return { cases, ends, effects };
    } finally {
      await db.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Three nodes of which one is disabled, and what they are to run is made before the first call. */
async function fill({ httpUrl, adminToken }: CoreHandle): Promise<Population> {
  const admin = new Admin(httpUrl, adminToken ?? "");
  const population = await admin.populate({ nodes: 3, users: 8, atOnce: 1 });
  await admin.call("POST", `/admin/nodes/${population.nodes[2]!.id}/disable`);
  for (const { key } of population.nodes.slice(0, 2)) await new HttpDoor(httpUrl, key).latestConfig();
  return population;
}
