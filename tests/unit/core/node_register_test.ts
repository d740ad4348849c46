import { deepEqual, equal, match, notEqual, ok } from "../../harness.ts";
import { createJoinTokens } from "../../../src/core/node_auth/join_tokens.ts";
import { type NodeStage, registration, stageTest } from "./node_fixture.ts";

const UUID = "0d4c7f2a-91b6-4e38-8a55-2f7be1c09d14";
const OTHER = "b1c6a1de-0b43-4a57-9e0e-55a1f5a3f3aa";

async function register(
  stage: NodeStage,
  code: string,
  headers: Record<string, string> = {},
  from?: string,
): Promise<{ status: number; code?: string; authKey: string; nodeId: number; retry: string | null }> {
  const answer = await stage.call("POST", "/node/register", {
    body: registration(code),
    headers,
    ...(from === undefined ? {} : { from }),
  });
  return { status: answer.status, retry: answer.headers.get("retry-after"), ...await answer.json() };
}

async function beats(stage: NodeStage, authKey: string): Promise<number> {
  const answer = await stage.call("POST", "/node/heartbeat", { headers: { "x-node-auth-key": authKey }, body: {} });
  await answer.body?.cancel();
  return answer.status;
}

stageTest("a node that registers gets its key once, and nothing of it is stored", async (open) => {
  const stage = await open();
  const answer = await stage.call("POST", "/node/register", { body: registration("de-fra-1") });
  equal(answer.status, 201);
  match(answer.headers.get("x-core-public-key") ?? "", /^[A-Za-z0-9_-]{43}$/);
  match(answer.headers.get("x-request-id") ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  const body = await answer.json();
  deepEqual(Object.keys(body), ["authKey", "nodeId"]);
  match(body.authKey, /^nk1\.[A-Za-z0-9_-]{12}\.[A-Za-z0-9_-]{43}$/);
  equal(body.nodeId, 1);
  const secret = body.authKey.split(".")[2];
  for (const table of ["nodes", "node_keys", "audit_log", "idempotency", "core_values"]) {
    const rows = await stage.db.query(`SELECT * FROM ${table}`);
    const text = JSON.stringify(rows, (_, value) => typeof value === "bigint" ? String(value) : value);
    ok(!text.includes(secret), table);
  }
  deepEqual(stage.events.map(({ type, nodeId }) => [type, nodeId]), [["node.registered", 1]]);
  equal(await beats(stage, body.authKey), 200);
});

stageTest("a code that is taken is nobody else's: 0 of 1,000 attempts", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node("de-fra-1");
  equal(await beats(stage, authKey), 200);
  const other = await stage.node("de-fra-2");
  const headers: Record<string, string>[] = [
    {},
    { "idempotency-key": UUID },
    { "x-node-auth-key": other.authKey },
    { "x-node-auth-key": authKey.slice(0, -1) + (authKey.endsWith("A") ? "B" : "A") },
    { "x-node-auth-key": `${authKey}, ${authKey}` },
    { "x-node-auth-key": "nk1" },
    { "x-node-join-token": "nj1.guess" },
  ];
  let taken = 0;
  for (let index = 0; index < 1_000; index++) {
    const answer = await register(stage, "de-fra-1", headers[index % headers.length]);
    if (answer.status !== 409 || answer.code !== "NODE_EXISTS") taken++;
  }
  equal(taken, 0);
  equal(await beats(stage, authKey), 200);
  const keys = await stage.db.query("SELECT key_id FROM node_keys WHERE node_id = 1");
  equal(keys.length, 1);
});

stageTest("a code differs by its case", async (open) => {
  const stage = await open();
  equal((await register(stage, "node")).status, 201);
  equal((await register(stage, "NODE")).status, 201);
  equal((await register(stage, "node")).status, 409);
});

stageTest("whoever proves his key gets another one, and both work for ten minutes", async (open) => {
  const stage = await open();
  const first = await stage.node("de-fra-1");
  const second = await register(stage, "de-fra-1", { "x-node-auth-key": first.authKey });
  equal(second.status, 201);
  equal(second.nodeId, first.nodeId);
  notEqual(second.authKey, first.authKey);
  equal(await beats(stage, first.authKey), 200);
  equal(await beats(stage, second.authKey), 200);
  stage.clock.advance(10 * 60_000 - 1);
  equal(await beats(stage, first.authKey), 200);
  stage.clock.advance(1);
  equal(await beats(stage, first.authKey), 401);
  equal(await beats(stage, second.authKey), 200);
  // The old one proves nothing any more.
  equal((await register(stage, "de-fra-1", { "x-node-auth-key": first.authKey })).status, 409);
});

stageTest("the same request returns after its answer was lost, until somebody used the key", async (open) => {
  const stage = await open();
  const first = await register(stage, "de-fra-1", { "idempotency-key": UUID });
  equal(first.status, 201);
  stage.clock.advance(9 * 60_000);
  const second = await register(stage, "de-fra-1", { "idempotency-key": UUID.toUpperCase() });
  equal(second.status, 201);
  equal(second.nodeId, first.nodeId);
  notEqual(second.authKey, first.authKey);
  equal(await beats(stage, first.authKey), 401);
  equal((await register(stage, "de-fra-1", { "idempotency-key": OTHER })).status, 409);
  equal((await register(stage, "de-fra-1")).status, 409);
  equal(await beats(stage, second.authKey), 200);
  equal((await register(stage, "de-fra-1", { "idempotency-key": UUID })).status, 409);
  equal(await beats(stage, second.authKey), 200);
  const rows = await stage.db.query("SELECT status FROM nodes");
  equal(rows.length, 1);
  // Another node may come with the same one: it says nothing about the first.
  equal((await register(stage, "de-fra-2", { "idempotency-key": UUID })).status, 201);
  equal((await register(stage, "de-fra-1", { "idempotency-key": UUID })).status, 409);
});

stageTest("after ten minutes a lost answer is lost", async (open) => {
  const stage = await open();
  await register(stage, "de-fra-1", { "idempotency-key": UUID });
  stage.clock.advance(10 * 60_000);
  equal((await register(stage, "de-fra-1", { "idempotency-key": UUID })).status, 409);
});

stageTest("a re-enrolment window lets one node in, once, and ends the keys before", async (open) => {
  const stage = await open({ settings: { registration: "closed" } });
  const opened = await open({ db: stage.db });
  const first = await opened.node("de-fra-1");
  equal(await beats(stage, first.authKey), 200);
  await stage.db.exec("UPDATE nodes SET reenrol_until = $1", [stage.clock.wall() + 60_000]);
  const second = await register(stage, "de-fra-1");
  equal(second.status, 201);
  await stage.auth.forget(first.nodeId);
  equal(await beats(stage, first.authKey), 401);
  equal(await beats(stage, second.authKey), 200);
  equal((await register(stage, "de-fra-1")).status, 403);
  await stage.db.exec("UPDATE nodes SET reenrol_until = $1", [stage.clock.wall() + 60_000]);
  stage.clock.advance(60_000);
  equal((await register(stage, "de-fra-1")).status, 403);
});

stageTest("join tokens: missing, wrong, spent, ended, for another region", async (open) => {
  const stage = await open({ settings: { registration: "token" } });
  const tokens = createJoinTokens(stage.parts);
  const make = async (options?: Parameters<typeof tokens.create>[1]): Promise<Record<string, string>> => ({
    "x-node-join-token": (await tokens.create(stage.db, options)).token,
  });
  const denied = { status: 403, code: "JOIN_DENIED" };
  const outcome = async (code: string, headers: Record<string, string> = {}): Promise<object> => {
    const { status, code: why } = await register(stage, code, headers);
    return why === undefined ? { status } : { status, code: why };
  };
  deepEqual(await outcome("a"), denied);
  deepEqual(await outcome("a", { "x-node-join-token": "nj1.000000000000000000000000000" }), denied);
  const once = await make();
  deepEqual(await outcome("a", once), { status: 201 });
  deepEqual(await outcome("b", once), denied);
  const twice = await make({ maxUses: 2 });
  // A code that is taken costs nothing.
  deepEqual(await outcome("a", twice), { status: 409, code: "NODE_EXISTS" });
  deepEqual(await outcome("b", twice), { status: 201 });
  deepEqual(await outcome("c", twice), { status: 201 });
  deepEqual(await outcome("d", twice), denied);
  deepEqual(await outcome("d", await make({ region: "us" })), denied);
  deepEqual(await outcome("d", await make({ region: "eu" })), { status: 201 });
  const late = await make();
  stage.clock.advance(60 * 60_000);
  deepEqual(await outcome("e", late), denied);
  // Who may not join learns nothing about the codes that are taken.
  deepEqual(await outcome("a"), denied);
  const rows = await stage.db.query("SELECT hash FROM join_tokens");
  ok(rows.every(({ hash }) => hash instanceof Uint8Array && hash.length === 32));
});

stageTest("one token, fifty nodes at once: one of them joins", async (open) => {
  const stage = await open({ settings: { registration: "token" } });
  const { token } = await createJoinTokens(stage.parts).create(stage.db);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => register(stage, `n${index}`, { "x-node-join-token": token })),
  );
  equal(answers.filter(({ status }) => status === 201).length, 1);
  equal((await stage.db.query("SELECT id FROM nodes")).length, 1);
});

stageTest("one code, fifty nodes at once: one of them has it", async (open) => {
  const stage = await open();
  const answers = await Promise.all(Array.from({ length: 50 }, () => register(stage, "same")));
  equal(answers.filter(({ status }) => status === 201).length, 1);
  equal(answers.filter(({ code }) => code === "NODE_EXISTS").length, 49);
});

stageTest(
  "a token of the settings counts for everybody, and an open door closes once tokens are made",
  async (open) => {
    const stage = await open({ settings: { registration: "open", joinToken: "a token of the settings" } });
    equal((await register(stage, "a")).status, 403);
    for (const code of ["a", "b", "c"]) {
      equal((await register(stage, code, { "x-node-join-token": "a token of the settings" })).status, 201);
    }
    const opened = await open();
    equal((await register(opened, "a")).status, 201);
    const { token } = await createJoinTokens(opened.parts).create(opened.db);
    equal((await register(opened, "b")).status, 403);
    equal((await register(opened, "b", { "x-node-join-token": token })).status, 201);
    // A token that was spent does not open the door again.
    equal((await register(opened, "c")).status, 403);
  },
);

stageTest("closed: nobody new; approval: pending", async (open) => {
  const closed = await open({ settings: { registration: "closed" } });
  equal((await register(closed, "a")).code, "JOIN_DENIED");
  const stage = await open({ settings: { registration: "approval" } });
  const { status, authKey } = await register(stage, "a");
  equal(status, 201);
  equal((await stage.db.query("SELECT status FROM nodes"))[0]?.status, "pending");
  equal(await beats(stage, authKey), 200);
  equal((await stage.db.query("SELECT status FROM nodes"))[0]?.status, "pending");
});

stageTest("five a minute from one address or /64, sixty in all", async (open) => {
  const stage = await open({ limits: {} });
  const statuses: number[] = [];
  for (let index = 0; index < 6; index++) {
    statuses.push((await register(stage, `a${index}`, {}, `2001:db8::${index}`)).status);
  }
  deepEqual(statuses, [201, 201, 201, 201, 201, 429]);
  equal((await register(stage, "b", {}, "2001:db8:0:1::1")).status, 201);
  for (let index = 0; index < 54; index++) {
    equal((await register(stage, `c${index}`, {}, `10.0.0.${index}`)).status, 201);
  }
  const refused = await register(stage, "d", {}, "10.0.1.1");
  equal(refused.status, 429);
  equal(refused.code, "RATE_LIMITED");
  equal(refused.retry, "60");
  stage.clock.advance(60_000);
  equal((await register(stage, "d", {}, "2001:db8::1")).status, 201);
});

stageTest("a disabled node gets no other key", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node("a");
  await stage.db.exec("UPDATE nodes SET status = 'disabled'");
  equal((await register(stage, "a", { "x-node-auth-key": authKey })).code, "NODE_DISABLED");
});

stageTest("the first token is made once, where one is needed", async (open) => {
  const opened = await open();
  equal(await createJoinTokens(opened.parts).first(opened.db), null);
  const stage = await open({ settings: { registration: "token" } });
  const tokens = createJoinTokens(stage.parts);
  const token = await tokens.first(stage.db);
  match(token ?? "", /^nj1\.[A-Za-z0-9_-]{27}$/);
  equal(await tokens.first(stage.db), null);
  equal((await register(stage, "a", { "x-node-join-token": token ?? "" })).status, 201);
  equal(await tokens.first(stage.db), null);
});
