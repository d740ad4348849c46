import { deepEqual, equal, match, ok } from "../../harness.ts";
import { Failure } from "../../../src/core/failure.ts";
import { type Call, type NodeStage, registration, stageTest } from "./node_fixture.ts";

/** Every route of nodes that needs a key, with a body that it takes. */
const routes: readonly [method: string, path: string, body?: unknown][] = [
  ["POST", "/node/heartbeat", {}],
  ["POST", "/node/usage", { entries: [] }],
  ["POST", "/node/outbound-usage", { items: [] }],
  ["POST", "/node/session-events", { events: [] }],
  ["GET", "/node/config/latest"],
  ["POST", "/node/config/applied", { revision: 0 }],
  ["POST", "/node/error", { message: "x" }],
];

async function beat(stage: NodeStage, key: string | null, call: Call = {}): Promise<Response> {
  return await stage.call("POST", "/node/heartbeat", {
    body: {},
    ...call,
    headers: key === null ? {} : { "x-node-auth-key": key },
  });
}

/** Status and body without what is different each time. */
async function plain(answer: Response): Promise<unknown> {
  const { requestId, ...body } = await answer.json();
  equal(typeof requestId, "string");
  equal(answer.headers.get("x-core-time"), null);
  return { status: answer.status, body };
}

stageTest("every route refuses whoever has no key, and takes a valid one", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node();
  for (const [method, path, body] of routes) {
    const none = await stage.call(method, path, { body, from: "192.0.2.1" });
    equal(none.status, 401, path);
    equal((await none.json()).code, "AUTH_REQUIRED");
    const empty = await stage.call(method, path, { body, from: "192.0.2.2", headers: { "x-node-auth-key": "" } });
    equal((await empty.json()).code, "AUTH_REQUIRED");
    const wrong = await stage.call(method, path, {
      body,
      from: "192.0.2.3",
      headers: { "x-node-auth-key": "nk1.a.b" },
    });
    equal(wrong.status, 401, path);
    equal((await wrong.json()).code, "AUTH_INVALID");
    const right = await stage.call(method, path, { body, headers: { "x-node-auth-key": authKey } });
    equal(right.status, 200, `${path} ${JSON.stringify(await right.clone().text())}`);
    equal(right.headers.get("x-core-time"), String(stage.clock.wall()));
    equal(right.headers.get("x-core-intervals"), "hb=10000,stats=2000,online=5000,usage=60000");
    await right.body?.cancel();
  }
});

stageTest("unknown, wrong, revoked, expired, malformed, two: the same answer", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node("a");
  const revoked = await stage.node("b");
  const expired = await stage.node("c");
  await stage.db.exec("UPDATE node_keys SET revoked_at = 1 WHERE node_id = $1", [revoked.nodeId]);
  await stage.db.exec("UPDATE node_keys SET expires_at = $2 WHERE node_id = $1", [expired.nodeId, stage.clock.wall()]);
  const [head, keyId, secret] = authKey.split(".");
  const keys: Record<string, string> = {
    unknown: `nk1.AAAAAAAAAAAA.${secret}`,
    wrong: `nk1.${keyId}.${"A".repeat(43)}`,
    revoked: revoked.authKey,
    expired: expired.authKey,
    malformed: "nk1",
    long: "x".repeat(5_000),
    shouted: authKey.toUpperCase(),
    padded: `${head}.${keyId}.${secret}=`,
    placeholder: `nk1.------------.${"-".repeat(43)}`,
    two: `${authKey}, ${authKey}`,
  };
  for (const [name, key] of Object.entries(keys)) {
    deepEqual(await plain(await beat(stage, key, { from: `192.0.2.${name.length}` })), {
      status: 401,
      body: { statusCode: 401, error: "Unauthorized", message: "The node key is not valid", code: "AUTH_INVALID" },
    }, name);
  }
  const two = await stage.call("POST", "/node/heartbeat", {
    headers: [["x-node-auth-key", authKey], ["x-node-auth-key", authKey], ["content-type", "application/json"]],
    body: {},
  });
  equal(two.status, 401);
  equal((await beat(stage, authKey)).status, 200);
});

stageTest("unknown, revoked, expired and malformed keys take the same steps", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node("a");
  const { authKey: revoked } = await stage.node("b");
  await stage.db.exec("UPDATE node_keys SET revoked_at = 1 WHERE node_id = 2");
  const steps: string[] = [];
  const { secret, db } = stage.parts;
  const parts = {
    ...stage.parts,
    secret: {
      ...secret,
      hash: (text: string) => (steps.push(`hash ${text.length}`), secret.hash(text)),
      equal: (a: Uint8Array, b: Uint8Array) => (steps.push(`equal ${a.length} ${b.length}`), secret.equal(a, b)),
    },
    db: Object.assign(Object.create(db), {
      dialect: db.dialect,
      query: (sql: string, params: never) => (steps.push("query"), db.query(sql, params)),
      exec: (sql: string, params: never) => (steps.push("exec"), db.exec(sql, params)),
    }),
  };
  const { createNodeAuth } = await import("../../../src/core/node_auth/node_auth.ts");
  const auth = createNodeAuth(parts as never);
  const secretPart = authKey.split(".")[2];
  for (const key of [`nk1.AAAAAAAAAAAA.${secretPart}`, revoked, `${authKey.slice(0, -2)}AA`, "none", "two, keys"]) {
    steps.length = 0;
    await auth.authenticate({ keys: [key], ip: "", agentServices: null, access: "full" }).catch(() => {});
    deepEqual(steps, ["hash 43", "query", "equal 32 32"], key);
  }
});

stageTest("two keys that are equal are one, two that differ are none", async (open) => {
  const stage = await open();
  const { authKey, nodeId } = await stage.node("a");
  const other = await stage.node("b");
  const ask = (keys: string[]): Promise<string | number> =>
    stage.auth.authenticate({ keys, ip: "192.0.2.1", agentServices: null, access: "full" })
      .then((caller) => caller.nodeId, (error) => error instanceof Failure ? error.failure : "?");
  equal(await ask([authKey, authKey]), nodeId);
  equal(await ask([authKey, other.authKey]), "AUTH_INVALID");
  equal(await ask([]), "AUTH_REQUIRED");
});

stageTest("what an agent can run, as it says", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node("a");
  const ask = async (agentServices: string | null): Promise<readonly string[]> =>
    (await stage.auth.authenticate({ keys: [authKey], ip: "", agentServices, access: "full" })).agentServices;
  deepEqual(await ask(null), []);
  deepEqual(await ask(" NodePass , xray,nodepass, b@d,,"), ["nodepass", "xray"]);
  ok((await ask(Array.from({ length: 100 }, (_, index) => `s${index}`).join(","))).length <= 16);
});

stageTest("twenty failures a minute, then 429 for a minute; a valid key never notices", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node("a");
  const statuses: number[] = [];
  for (let index = 0; index < 25; index++) {
    statuses.push((await beat(stage, `nk1.AAAAAAAAAAAA.${"A".repeat(43)}`)).status);
    equal((await beat(stage, authKey)).status, 200);
  }
  deepEqual(statuses, [...Array(20).fill(401), ...Array(5).fill(429)]);
  // A key that is not remembered passes too, and so does another address.
  stage.clock.advance(59_000);
  await stage.auth.forget(1);
  equal((await beat(stage, authKey)).status, 200);
  const limited = await beat(stage, "wrong");
  equal(limited.status, 429);
  equal(limited.headers.get("retry-after"), "1");
  equal((await limited.json()).code, "RATE_LIMITED");
  equal((await beat(stage, null)).status, 429);
  equal((await beat(stage, "wrong", { from: "198.51.100.2" })).status, 401);
  stage.clock.advance(1_000);
  equal((await beat(stage, "wrong")).status, 401);
});

stageTest("failures of an IPv6 network count together, those of mapped IPv4 with the address", async (open) => {
  const stage = await open();
  for (let index = 0; index < 20; index++) equal((await beat(stage, "x", { from: `2001:db8::${index}` })).status, 401);
  equal((await beat(stage, "x", { from: "2001:db8::ffff" })).status, 429);
  equal((await beat(stage, "x", { from: "2001:db8:0:1::1" })).status, 401);
  for (let index = 0; index < 20; index++) await beat(stage, "x", { from: "::ffff:192.0.2.1" });
  equal((await beat(stage, "x", { from: "192.0.2.1" })).status, 429);
});

stageTest("disabled and pending nodes, from one request to the next", async (open) => {
  const stage = await open();
  const { authKey, nodeId } = await stage.node("a");
  const ask = async (): Promise<(string | number)[]> =>
    await Promise.all(routes.map(async ([method, path, body]) => {
      const answer = await stage.call(method, path, { body, headers: { "x-node-auth-key": authKey } });
      const text = await answer.text();
      return answer.status === 200 ? 200 : JSON.parse(text).code;
    }));
  deepEqual(await ask(), Array(7).fill(200));
  await stage.db.exec("UPDATE nodes SET status = 'disabled'");
  await stage.auth.forget(nodeId);
  deepEqual(await ask(), Array(7).fill("NODE_DISABLED"));
  await stage.db.exec("UPDATE nodes SET status = 'pending'");
  await stage.auth.forget(nodeId);
  deepEqual(await ask(), [200, ...Array(6).fill("NODE_PENDING")]);
  await stage.db.exec("UPDATE nodes SET status = 'offline'");
  await stage.auth.forget(nodeId);
  deepEqual(await ask(), Array(7).fill(200));
  await stage.db.exec("DELETE FROM nodes");
  await stage.auth.forget(nodeId);
  deepEqual(await ask(), Array(7).fill("AUTH_INVALID"));
});

stageTest("a proven key costs nothing for a minute, and is looked for again after it", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node("a");
  equal((await beat(stage, authKey)).status, 200);
  await stage.db.exec("UPDATE node_keys SET revoked_at = 1");
  stage.clock.advance(59_999);
  equal((await beat(stage, authKey)).status, 200);
  stage.clock.advance(1);
  equal((await beat(stage, authKey)).status, 401);
});

stageTest("what was read before a key ended is not remembered after it", async (open) => {
  const stage = await open();
  const { authKey, nodeId } = await stage.node("a");
  const first = beat(stage, authKey);
  await stage.db.exec("UPDATE node_keys SET revoked_at = 1");
  await stage.auth.forget(nodeId);
  await first;
  equal((await beat(stage, authKey)).status, 401);
});

stageTest("the database is away: a key that is remembered passes, another one is told to come back", async (open) => {
  const stage = await open();
  const known = await stage.node("a");
  const unknown = await stage.node("b");
  equal((await beat(stage, known.authKey)).status, 200);
  await stage.db.close();
  const answer = await stage.call("POST", "/node/session-events", {
    headers: { "x-node-auth-key": known.authKey },
    body: { events: [] },
  });
  equal(answer.status, 200);
  const refused = await beat(stage, unknown.authKey);
  equal(refused.status, 503);
  match(refused.headers.get("retry-after") ?? "", /^[1-5]$/);
  equal((await refused.json()).code, "STORE_UNAVAILABLE");
  // Nothing is left to be written when it ends.
  await stage.auth.noteUses().catch(() => {});
});

stageTest("first and last use are written down", async (open) => {
  const stage = await open();
  const { authKey } = await stage.node("a");
  const row = (): Promise<unknown> =>
    stage.db.query<{ f: bigint | null; l: bigint | null }>("SELECT first_used_at f, last_used_at l FROM node_keys")
      .then(([{ f, l } = { f: null, l: null }]) => [f, l].map((at) => at === null ? null : Number(at)));
  deepEqual(await row(), [null, null]);
  await beat(stage, authKey);
  const start = stage.clock.wall();
  deepEqual(await row(), [start, start]);
  stage.clock.advance(60_000);
  await beat(stage, authKey);
  await stage.auth.noteUses();
  deepEqual(await row(), [start, start + 60_000]);
});

stageTest("behind a proxy that is trusted its client counts, else the proxy", async (open) => {
  const stage = await open();
  const proxied = await open({
    db: stage.db,
    settings: { trustedProxies: [{ bytes: Uint8Array.of(10, 0, 0, 0), prefix: 8 }] },
  });
  const ask = async (from: string, forwarded: string): Promise<unknown> => {
    await proxied.call("POST", "/node/register", {
      from,
      headers: { "x-forwarded-for": forwarded },
      body: registration(`n${Math.round(proxied.clock.now())}`),
    });
    proxied.clock.advance(1);
    const rows = await stage.db.query("SELECT ip FROM audit_log ORDER BY id DESC LIMIT 1");
    return rows[0]?.ip;
  };
  equal(await ask("10.0.0.1", "1.1.1.1, 192.0.2.7"), "192.0.2.7");
  equal(await ask("10.0.0.1", "1.1.1.1, 192.0.2.7, 10.2.3.4"), "192.0.2.7");
  equal(await ask("10.0.0.1", "::ffff:192.0.2.8"), "192.0.2.8");
  equal(await ask("10.0.0.1", "[2001:db8::1]:443"), "2001:db8::1");
  equal(await ask("10.0.0.1", "nonsense"), "10.0.0.1");
  equal(await ask("192.0.2.1", "1.1.1.1"), "192.0.2.1");
});

stageTest("what one replica changed, the others forget", async (open) => {
  const { createForgetting } = await import("../../../src/core/node_auth/forgetting.ts");
  const stage = await open();
  const { db } = stage;
  const shared = {
    dialect: "postgres",
    query: (sql: string, params: never) => db.query(sql, params),
    exec: (sql: string, params: never) => db.exec(sql, params),
  };
  const replica = (): { forgetting: ReturnType<typeof createForgetting>; heard: number[] } => {
    const forgetting = createForgetting({ ...stage.parts, db: shared as never });
    const heard: number[] = [];
    forgetting.onForget((nodeId) => heard.push(nodeId));
    return { forgetting, heard };
  };
  const [one, two] = [replica(), replica()];
  await one.forgetting.forget(3);
  deepEqual(one.heard, [3]);
  await two.forgetting.look();
  deepEqual(two.heard, [3]);
  await one.forgetting.forget(3);
  await one.forgetting.forget(3);
  await one.forgetting.forget(7);
  await two.forgetting.look();
  deepEqual(two.heard.sort(), [3, 3, 7]);
  await two.forgetting.look();
  deepEqual(two.heard.length, 3);
  await one.forgetting.look();
  one.heard.length = 0;
  await two.forgetting.forget(3);
  await one.forgetting.look();
  await one.forgetting.look();
  deepEqual(one.heard, [3]);
  stage.clock.advance(11 * 60_000);
  await stage.jobs.get("nodes.changed_tidy")?.(new AbortController().signal);
  equal((await db.query("SELECT key FROM core_values WHERE key LIKE 'node_changed%'")).length, 0);
});
