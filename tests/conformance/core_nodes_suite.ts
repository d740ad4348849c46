/**
 * What the database decides for nodes, with two replicas where it has them.
 *
 * @module
 */
import { type Database, idsAmong } from "../../src/core/store/database.ts";
import { createJoinTokens } from "../../src/core/node_auth/join_tokens.ts";
import { Waking } from "../../src/core/nodes/waking.ts";
import { deepEqual, equal, ok } from "../harness.ts";
import { type NodeStage, nodeStage, registration, type StageOptions } from "../unit/core/node_fixture.ts";

/** Two doors on one database, each with what it has to itself. */
export interface Replicas {
  readonly one: NodeStage;
  readonly two: NodeStage;
}

/** One thing to show. */
export interface NodesCase {
  readonly name: string;
  readonly options?: StageOptions;
  run(replicas: Replicas): Promise<void>;
}

/** Opens two doors for a case. */
export async function withReplicas(dbs: readonly [Database, Database], { options, run }: NodesCase): Promise<void> {
  const one = await nodeStage({ ...options, db: dbs[0] });
  const two = await nodeStage({ ...options, db: dbs[1] });
  try {
    await run({ one, two });
  } finally {
    await one[Symbol.asyncDispose]();
    await two[Symbol.asyncDispose]();
  }
}

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly authKey: string;
  readonly nodeId: number;
}

async function register(stage: NodeStage, code: string, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await stage.call("POST", "/node/register", { body: registration(code), headers });
  return { status: answer.status, ...await answer.json() };
}

let calls = 0;

/** Each call from an address of its own: failures of one address are limited. */
async function post(stage: NodeStage, authKey: string, path: string, body: unknown): Promise<number> {
  const from = `10.0.${++calls >> 8 & 255}.${calls & 255}`;
  const answer = await stage.call("POST", path, { body, from, headers: { "x-node-auth-key": authKey } });
  await answer.text();
  return answer.status;
}

const beats = (stage: NodeStage, authKey: string): Promise<number> => post(stage, authKey, "/node/heartbeat", {});

async function job(stage: NodeStage, name: string): Promise<void> {
  await stage.jobs.get(name)?.(new AbortController().signal);
}

/** The parts of a stage, with its transactions counted. */
function counted({ parts }: NodeStage): { readonly parts: NodeStage["parts"]; readonly count: () => number } {
  let transactions = 0;
  const db = Object.create(parts.db, {
    transaction: {
      value: (run: (tx: Database) => Promise<unknown>) => {
        transactions++;
        return parts.db.transaction(run);
      },
    },
  });
  return { parts: { ...parts, db }, count: () => transactions };
}

/** Cases that every database has to pass. */
export const nodesCases: readonly NodesCase[] = [
  {
    name: "a fleet of 250 that comes back at once wakes in a few commits, each node with one event",
    async run({ one, two }) {
      const { among, param } = idsAmong(one.db, 1, Array.from({ length: 260 }, (_, index) => index + 1));
      await one.db.execMany(
        `INSERT INTO nodes (code, name, ip, port, region, status, created_at, updated_at)
         VALUES ($1, $1, '203.0.113.7', 80, 'eu', $2, 0, 0)`,
        Array.from({ length: 260 }, (_, index) => [`n${index}`, index < 250 ? "offline" : "disabled"]),
      );
      const doors = [counted(one), counted(two)];
      const wakings = doors.map(({ parts }) => new Waking(parts));
      // Some twice, on one door and on both.
      const ids = Array.from({ length: 600 }, (_, index) => index % 260 + 1);
      await Promise.all(ids.map((nodeId, index) => wakings[index % 2]!.wake(nodeId)));
      for (const { count } of doors) ok(count() >= 3 && count() <= 5, `${count()} commits`);
      const rows = await one.db.query<{ status: string }>(`SELECT status FROM nodes WHERE id ${among} ORDER BY id`, [
        param,
      ]);
      deepEqual(rows.map(({ status }) => status), ids.slice(0, 260).map((id) => id <= 250 ? "online" : "disabled"));
      const online = [...one.events, ...two.events].filter(({ type }) => type === "node.online");
      equal(online.length, 250);
      equal(new Set(online.map(({ nodeId }) => nodeId)).size, 250);
    },
  },
  {
    name: "nodes whose commit fails hear of it, and the next one wakes",
    async run({ one }) {
      const { authKey, nodeId } = await register(one, "n1");
      let fails = true;
      const db = Object.create(one.db, {
        transaction: {
          value: (run: (tx: Database) => Promise<unknown>) =>
            fails ? Promise.reject(new Error("gone")) : one.db.transaction(run),
        },
      });
      const waking = new Waking({ ...one.parts, db });
      const failed = await Promise.allSettled([waking.wake(nodeId), waking.wake(nodeId + 1)]);
      deepEqual(failed.map(({ status }) => status), ["rejected", "rejected"]);
      fails = false;
      await waking.wake(nodeId);
      equal(await beats(one, authKey), 200);
      equal(one.events.filter(({ type }) => type === "node.online").length, 1);
    },
  },
  {
    name: "one code, forty registrations at once on two replicas: one of them has it",
    async run({ one, two }) {
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) => register(index % 2 === 0 ? one : two, "same")),
      );
      equal(answers.filter(({ status }) => status === 201).length, 1);
      equal(answers.filter(({ code }) => code === "NODE_EXISTS").length, 39);
      const { authKey } = answers.find(({ status }) => status === 201) ?? answers[0]!;
      equal(await beats(one, authKey), 200);
      equal(await beats(two, authKey), 200);
    },
  },
  {
    name: "one token of five uses, forty nodes at once on two replicas: five join",
    options: { settings: { registration: "token" } },
    async run({ one, two }) {
      const { token } = await createJoinTokens(one.parts).create(one.db, { maxUses: 5 });
      const answers = await Promise.all(
        Array.from(
          { length: 40 },
          (_, index) => register(index % 2 === 0 ? one : two, `n${index}`, { "x-node-join-token": token }),
        ),
      );
      equal(answers.filter(({ status }) => status === 201).length, 5);
      equal(answers.filter(({ code }) => code === "JOIN_DENIED").length, 35);
      equal((await one.db.query("SELECT id FROM nodes")).length, 5);
    },
  },
  {
    name: "a first use and the return of a lost answer at once: one key works, never two",
    async run({ one, two }) {
      const outcomes = new Set<string>();
      for (let index = 0; index < 40; index++) {
        const headers = { "idempotency-key": crypto.randomUUID() };
        const first = await register(one, `n${index}`, headers);
        const [used, again] = await Promise.all([
          beats(one, first.authKey),
          index % 3 === 0
            ? Promise.resolve().then(() => register(two, `n${index}`, headers))
            : register(two, `n${index}`, headers),
        ]);
        outcomes.add(`${used} ${again.status}`);
        ok(used === 200 && again.status === 409 || used === 401 && again.status === 201, `${used} ${again.status}`);
        await job(one, "nodes.changed");
        equal(await beats(one, first.authKey), used);
        if (again.status === 201) equal(await beats(two, again.authKey), 200);
      }
      ok(outcomes.size >= 1);
    },
  },
  {
    name: "what one replica ends, the other refuses once it looked",
    async run({ one, two }) {
      if (one.db.dialect !== "postgres") return;
      const { authKey, nodeId } = await register(one, "a");
      equal(await beats(two, authKey), 200);
      await one.auth.keys.revokeAll(one.db, nodeId);
      await one.auth.forget(nodeId);
      equal(await beats(one, authKey), 401);
      equal(await beats(two, authKey), 200);
      await job(two, "nodes.changed");
      equal(await beats(two, authKey), 401);
    },
  },
  {
    name: "silence is noticed once, by one of them, and a heartbeat at the other counts",
    async run({ one, two }) {
      const nodes = await Promise.all(Array.from({ length: 20 }, (_, index) => register(one, `n${index}`)));
      for (const { authKey } of nodes) equal(await beats(one, authKey), 200);
      for (const stage of [one, two]) stage.clock.advance(25_000);
      for (const { authKey } of nodes.slice(0, 10)) equal(await beats(two, authKey), 200);
      for (const stage of [one, two]) stage.clock.advance(10_000);
      await job(two, "nodes.heard");
      await Promise.all([job(one, "nodes.silent"), job(two, "nodes.silent")]);
      const gone = [...one.events, ...two.events].filter(({ type }) => type === "node.offline");
      deepEqual(
        gone.map(({ nodeId }) => nodeId).sort((a, b) => (a ?? 0) - (b ?? 0)),
        nodes.slice(10).map(({ nodeId }) => nodeId).sort((a, b) => a - b),
      );
      // They come back at the replica that did not notice.
      for (const { authKey } of nodes) equal(await beats(one, authKey), 200);
      await job(one, "nodes.heard");
      for (const { authKey } of nodes) equal(await beats(one, authKey), 200);
      const rows = await one.db.query<{ status: string }>("SELECT DISTINCT status FROM nodes");
      deepEqual(rows.map(({ status }) => status), ["online"]);
    },
  },
  {
    name: "the same session events through both at once are kept once",
    async run({ one, two }) {
      const { authKey, nodeId } = await register(one, "a");
      await one.db.exec(
        `INSERT INTO delivered_pairs (node_id, node_protocol_id, user_id, subscription_id, last_delivered_at)
         VALUES ($1, 3, 9, 0, 0)`,
        [nodeId],
      );
      const events = Array.from({ length: 1_000 }, (_, index) => ({
        userId: index < 999 ? 9 : 10,
        protocol: "vless",
        eventType: index % 2 === 0 ? "online" : "OFFLINE",
        occurredAt: new Date(one.clock.wall() - index * 1_000).toISOString(),
        ...(index % 3 === 0 ? { ipAddress: "198.51.100.4" } : {}),
      }));
      const statuses = await Promise.all(
        [one, two, one, two].map((stage, index) =>
          post(stage, authKey, "/node/session-events", { events: index % 2 === 0 ? events : events.toReversed() })
        ),
      );
      deepEqual(statuses, [200, 200, 200, 200]);
      equal((await one.db.query("SELECT 1 AS one FROM session_events")).length, 999);
      one.clock.advance(91 * 86_400_000);
      await job(one, "nodes.session_events");
      equal((await one.db.query("SELECT 1 AS one FROM session_events")).length, 0);
    },
  },
  {
    name: "errors, rotation, addresses and the notes of use",
    async run({ one }) {
      const first = await register(one, "a", { "x-node-auth-key": "none" });
      equal(await post(one, first.authKey, "/node/error", { message: "a\u0000b", details: { x: "\u0000" } }), 200);
      equal(await post(one, first.authKey, "/node/heartbeat", { ip: "2001:db8::1" }), 200);
      const second = await register(one, "a", { "x-node-auth-key": first.authKey });
      equal(second.status, 201);
      await one.auth.noteUses();
      await job(one, "nodes.tidy");
      await job(one, "nodes.stalled");
      one.clock.advance(600_000);
      equal(await beats(one, first.authKey), 401);
      equal(await beats(one, second.authKey), 200);
      await job(one, "nodes.heard");
      const [row] = await one.db.query<{ status: string; last_error_message: string }>(
        "SELECT status, last_error_message FROM nodes",
      );
      deepEqual({ ...row }, { status: "error", last_error_message: "a\\u0000b" });
    },
  },
];
