import { deepEqual, equal, match, notEqual, ok } from "../harness.ts";
import { adminTest, made, nodeBody } from "./core_admin_stage.ts";

const ROUTES: readonly (readonly [method: string, path: string, scope: "read" | "write" | "admin"])[] = [
  ...["users", "subscriptions", "node-protocols", "node-outbounds", "node-tunnels"].flatMap((name) =>
    [
      ["GET", `/admin/${name}`, "read"],
      ["POST", `/admin/${name}`, "write"],
      ["GET", `/admin/${name}/1`, "read"],
      ["PATCH", `/admin/${name}/1`, "write"],
      ["DELETE", `/admin/${name}/1`, "write"],
    ] as const
  ),
  ["GET", "/admin/links", "read"],
  ["POST", "/admin/links", "write"],
  ["DELETE", "/admin/links/0d4c7f2a-91b6-4e38-8a55-2f7be1c09d14", "write"],
  ["GET", "/admin/nodes", "read"],
  ["POST", "/admin/nodes", "admin"],
  ["PATCH", "/admin/nodes/1", "write"],
  ["DELETE", "/admin/nodes/1", "admin"],
  ...["approve", "disable", "enable", "rotate-key", "reenrol"].map((name) =>
    ["POST", `/admin/nodes/1/${name}`, "admin"] as const
  ),
  ["POST", "/admin/nodes/1/resync", "write"],
  ["POST", "/admin/nodes/1/config/rollback", "write"],
  ["GET", "/admin/nodes/1/config/revisions", "read"],
  ["GET", "/admin/nodes/1/runtime-status", "read"],
  ["GET", "/admin/nodes/1/stats-history", "read"],
  ["GET", "/admin/webhooks", "read"],
  ["POST", "/admin/webhooks", "admin"],
  ["GET", "/admin/tokens", "admin"],
  ["POST", "/admin/tokens", "admin"],
  ["DELETE", "/admin/tokens/1", "admin"],
  ["GET", "/admin/join-tokens", "read"],
  ["POST", "/admin/join-tokens", "admin"],
  ["DELETE", "/admin/join-tokens/1", "admin"],
  ["GET", "/admin/users/1/ips", "read"],
  ["DELETE", "/admin/users/1/ips", "admin"],
  ["GET", "/admin/users/1/usage", "read"],
  ["GET", "/admin/users/1/online", "read"],
  ["GET", "/admin/online", "read"],
  ["GET", "/admin/events", "read"],
  ["GET", "/admin/audit", "admin"],
];

adminTest("adminRoutes() lets nobody in without a token, nor further than it reaches", async (stage) => {
  const tokens = { read: await stage.token(["read"]), write: await stage.token(["write"]) };
  let without = 0;
  for (const [method, path, scope] of ROUTES) {
    const refused = await stage.as(null)(method, path);
    // The bucket of those who fail is full after a while.
    ok(
      without++ < 20 ? refused.body.code === "AUTH_REQUIRED" : refused.body.code === "RATE_LIMITED",
      `${method} ${path}`,
    );
    for (const has of ["read", "write"] as const) {
      const answer = await stage.as(tokens[has])(method, path);
      const reaches = scope === "read" || scope === has;
      equal(answer.status === 403, !reaches, `${method} ${path} with ${has}: ${answer.status}`);
      notEqual(answer.status, 401);
    }
  }
});

adminTest(
  "adminRoutes() refuses tokens that are wrong, ended or revoked with one and the same answer",
  async (stage) => {
    const good = await stage.token(["read"]);
    const ended = await stage.token(["read"], stage.clock.wall() + 1_000);
    equal((await stage.as(ended)("GET", "/admin/users")).status, 200);
    stage.clock.advance(1_000);
    const { body: { items } } = await stage.call("GET", "/admin/tokens");
    const revoked = await stage.token(["read"]);
    equal((await stage.call("DELETE", `/admin/tokens/${items.at(-1).id + 1}`)).status, 200);
    const bad = [ended, revoked, `${good.slice(0, -1)}_`, good.replace("na1.", "na1.A"), "x"];
    for (const token of bad) {
      const { status, body: { requestId: _, ...body } } = await stage.as(token)("GET", "/admin/users");
      deepEqual([status, body], [401, {
        statusCode: 401,
        error: "Unauthorized",
        message: "The token is not valid",
        code: "AUTH_INVALID",
      }]);
    }
    for (let count = 0; count < 30; count++) await stage.as("x")("GET", "/admin/users");
    equal((await stage.as("x")("GET", "/admin/users")).status, 429);
    equal((await stage.as(good)("GET", "/admin/users")).status, 200);
  },
);

adminTest("adminRoutes() make, list, change and remove users, page by page", async (stage) => {
  const { call } = stage;
  for (let index = 0; index < 5; index++) await made(call, "/admin/users", { name: `user ${index}` });
  const names: string[] = [];
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? "" : `&cursor=${cursor}`;
    const { body } = await call("GET", `/admin/users?limit=2${more}`);
    ok(body.items.length <= 2);
    names.push(...body.items.map(({ name }: { name: string }) => name));
    cursor = body.nextCursor;
  } while (cursor !== null);
  deepEqual(names, ["user 0", "user 1", "user 2", "user 3", "user 4"]);

  const first = await call("GET", "/admin/users/1");
  const etag = first.headers.get("ETag") ?? "";
  const changed = await call("PATCH", "/admin/users/1", { note: "hello" }, { "If-Match": etag });
  deepEqual([changed.status, changed.body.note, changed.body.name], [200, "hello", "user 0"]);
  const late = await call("PATCH", "/admin/users/1", { note: "late" }, { "If-Match": etag });
  deepEqual([late.status, late.body.code], [412, "PRECONDITION_FAILED"]);
  const taken = await call("PATCH", "/admin/users/1", { name: "user 1" });
  deepEqual([taken.status, taken.body.code], [409, "CONFLICT"]);
  deepEqual((await call("DELETE", "/admin/users/1")).body, { ok: true });
  equal((await call("GET", "/admin/users/1")).status, 404);
  equal((await call("DELETE", "/admin/users/1")).status, 404);

  const { body: audit } = await call("GET", "/admin/audit?target=user:1");
  deepEqual(audit.items.map(({ action }: { action: string }) => action), ["user.remove", "user.change", "user.create"]);
  match(audit.items[0].actor, /^token:\d+$/);
});

adminTest("adminRoutes() say where a body or a query is wrong", async (stage) => {
  const { call } = stage;
  const bad: [string, string, unknown, string][] = [
    ["POST", "/admin/users", { name: 5 }, "name"],
    ["POST", "/admin/users", { name: "a", colour: "red" }, "colour"],
    ["POST", "/admin/users", "[]", ""],
    ["POST", "/admin/subscriptions", { userId: 99 }, "userId"],
    ["POST", "/admin/links", { userId: 99, kind: "xray" }, "userId"],
    ["POST", "/admin/node-protocols", {
      nodeId: 99,
      service: "xray",
      protocol: "vless",
      tag: "a",
      settings: { port: 1 },
    }, "nodeId"],
    ["GET", "/admin/users?limit=0", undefined, "limit"],
    ["GET", "/admin/users?limit=501", undefined, "limit"],
    ["GET", "/admin/users?cursor=zzz", undefined, "cursor"],
    ["GET", "/admin/subscriptions?userId=x", undefined, "userId"],
    ["GET", "/admin/nodes/1/stats-history?step=5m", undefined, "step"],
  ];
  for (const [method, path, body, where] of bad) {
    const answer = await call(method, path, body);
    deepEqual(
      [answer.status, answer.body.code, answer.body.issues?.[0]?.path],
      [400, "VALIDATION_FAILED", where],
      path,
    );
  }
  for (const path of ["/admin/users/x", "/admin/users/0", "/admin/links/abc", "/admin/nope", "/admin/users/"]) {
    deepEqual([path, (await call("GET", path)).status], [path, 404]);
  }
  const wrong = await call("PUT", "/admin/users");
  deepEqual([wrong.status, wrong.headers.get("Allow")], [405, "GET, POST, HEAD"]);
});

adminTest("adminRoutes() let a link in, and out again, and nodes hear of it", async (stage) => {
  const { call, composition } = stage;
  const node = await made(call, "/admin/nodes", nodeBody("a"));
  const protocol = await made(call, "/admin/node-protocols", {
    nodeId: node,
    service: "xray",
    protocol: "vless",
    tag: "vless-443",
    settings: { port: 443 },
  });
  const userId = await made(call, "/admin/users", { name: "anna" });
  const subscriptionId = await made(call, "/admin/subscriptions", { userId, limitBytes: 1_000 });
  const link = await call("POST", "/admin/links", {
    userId,
    subscriptionId,
    kind: "xray",
    nodeProtocolIds: [protocol],
    maxConnections: 3,
  });
  deepEqual([link.status, link.body.nodeProtocolIds, link.body.maxConnections], [200, [protocol], 3]);
  const served = async (): Promise<string[]> => {
    await composition.flush();
    return Object.keys((await composition.latest(node, { agentServices: [] })).config.clientMap);
  };
  const { uuid } = link.body;
  deepEqual(await served(), [uuid]);
  const steps: [string, string, unknown, boolean][] = [
    ["PATCH", `/admin/users/${userId}`, { status: "disabled" }, false],
    ["PATCH", `/admin/users/${userId}`, { status: "active" }, true],
    ["PATCH", `/admin/subscriptions/${subscriptionId}`, { limitBytes: 0 }, false],
    ["PATCH", `/admin/subscriptions/${subscriptionId}`, { limitBytes: null }, true],
    ["PATCH", `/admin/subscriptions/${subscriptionId}`, { expiresAt: "1970-01-01T00:00:00Z" }, false],
    ["PATCH", `/admin/subscriptions/${subscriptionId}`, { expiresAt: null }, true],
    ["PATCH", `/admin/links/${uuid}`, { nodeProtocolIds: [] }, false],
    ["PATCH", `/admin/links/${uuid}`, { everywhere: true }, true],
    ["PATCH", `/admin/node-protocols/${protocol}`, { enabled: false }, false],
    ["PATCH", `/admin/node-protocols/${protocol}`, { enabled: true }, true],
    ["DELETE", `/admin/users/${userId}`, undefined, false],
  ];
  for (const [method, path, body, there] of steps) {
    const answer = await call(method, path, body);
    equal(answer.status, 200, JSON.stringify(answer.body));
    deepEqual(await served(), there ? [uuid] : [], `${method} ${path} ${JSON.stringify(body)}`);
  }
  equal((await call("GET", `/admin/links/${uuid}`)).status, 404);
  equal((await call("GET", `/admin/subscriptions/${subscriptionId}`)).status, 404);
});

adminTest("adminRoutes() issue nothing for a change that no node is sent", async (stage) => {
  const { call, composition } = stage;
  const node = await made(call, "/admin/nodes", nodeBody("a"));
  const userId = await made(call, "/admin/users", { name: "anna" });
  await call("POST", "/admin/links", { userId, kind: "xray", everywhere: true });
  await composition.latest(node, { agentServices: [] });
  await call("PATCH", `/admin/users/${userId}`, { name: "Anna", note: "new" });
  await call("PATCH", `/admin/nodes/${node}`, { name: "A" });
  await composition.flush();
  equal((await composition.heartbeat(node, 1, null)).needSync, false);
});

adminTest("adminRoutes() refuse what a node would refuse", async (stage) => {
  const { call } = stage;
  const nodeId = await made(call, "/admin/nodes", nodeBody("a"));
  const inbound = { nodeId, service: "xray", protocol: "vless", tag: "a", settings: { port: 443 } };
  await made(call, "/admin/node-protocols", inbound);
  const bad: [object, number, string | undefined][] = [
    [{ ...inbound, settings: { port: 80 } }, 409, undefined],
    [{ ...inbound, tag: "b" }, 409, undefined],
    [{ ...inbound, tag: "api", settings: { port: 80 } }, 400, "tag"],
    [{ ...inbound, tag: "a>>>b", settings: { port: 80 } }, 400, "tag"],
    [{ ...inbound, tag: "b", settings: {} }, 400, "settings.port"],
    [{ ...inbound, tag: "b", settings: { port: 0 } }, 400, "settings.port"],
    [{ ...inbound, tag: "b", service: "mtproto", settings: { port: 80 } }, 400, "protocol"],
  ];
  for (const [body, status, where] of bad) {
    const answer = await call("POST", "/admin/node-protocols", body);
    deepEqual([answer.status, answer.body.issues?.[0]?.path], [status, where], JSON.stringify(body));
  }
});

adminTest("adminRoutes() follow a node through its states", async (stage) => {
  const { call, db, forgotten } = stage;
  const created = await call("POST", "/admin/nodes", nodeBody("a"));
  match(created.body.authKey, /^nk1\./);
  const { id } = created.body;
  equal((await call("GET", `/admin/nodes/${id}`)).body.authKey, undefined);
  await db.exec("UPDATE nodes SET status = 'pending' WHERE id = $1", [id]);
  const step = async (action: string): Promise<unknown> => {
    const { status, body } = await call("POST", `/admin/nodes/${id}/${action}`);
    return status === 200 ? body.status : body.code;
  };
  equal(await step("enable"), "CONFLICT");
  equal(await step("approve"), "offline");
  equal(await step("approve"), "offline");
  equal(await step("disable"), "disabled");
  equal(await step("approve"), "CONFLICT");
  equal(await step("enable"), "offline");
  ok(forgotten.length >= 6);
  const rotated = await call("POST", `/admin/nodes/${id}/rotate-key`);
  match(rotated.body.authKey, /^nk1\./);
  const keys = await db.query("SELECT expires_at FROM node_keys WHERE node_id = $1 AND revoked_at IS NULL", [id]);
  deepEqual(keys.map(({ expires_at }) => expires_at === null).sort(), [false, true]);
  equal((await call("POST", `/admin/nodes/${id}/resync`)).body.revision, 2);
  equal((await call("POST", `/admin/nodes/${id}/config/rollback`, { revision: 1 })).body.revision, 3);
  equal((await call("POST", `/admin/nodes/${id}/config/rollback`, { revision: 9 })).status, 404);
  const { body: { items } } = await call("GET", `/admin/nodes/${id}/config/revisions`);
  deepEqual(items.map(({ revision }: { revision: number }) => revision), [3, 2, 1]);
  deepEqual((await call("GET", `/admin/nodes/${id}/config/revisions/2`)).body.config.revision, 2);
  notEqual((await call("POST", `/admin/nodes/${id}/reenrol`)).body.reenrolUntil, null);
  deepEqual((await call("DELETE", `/admin/nodes/${id}`)).body, { ok: true });
  equal((await call("POST", `/admin/nodes/${id}/resync`)).status, 404);
});

adminTest("adminRoutes() show secrets once, and leave none in the audit log", async (stage) => {
  const { call, db } = stage;
  const secrets: string[] = [];
  const join = await call("POST", "/admin/join-tokens", { maxUses: 2 });
  const token = await call("POST", "/admin/tokens", { name: "panel", scopes: ["write"] });
  const hook = await call("POST", "/admin/webhooks", { url: "https://example.com/hook" });
  const node = await call("POST", "/admin/nodes", nodeBody("a"));
  secrets.push(join.body.token, token.body.token, hook.body.secret, node.body.authKey);
  const userId = await made(call, "/admin/users", { name: "anna" });
  const secret = "0123456789abcdef0123456789abcdef";
  await call("POST", "/admin/links", { userId, kind: "mtproto", secret });
  secrets.push(secret);
  ok(secrets.every((text) => typeof text === "string" && text.length > 20));
  const audit = JSON.stringify((await call("GET", "/admin/audit")).body);
  const stored = JSON.stringify(
    await db.query("SELECT * FROM audit_log"),
    (_, value) => typeof value === "bigint" ? String(value) : value,
  );
  for (const text of secrets) ok(!audit.includes(text) && !stored.includes(text), text);
  for (const path of ["join-tokens", "tokens", "webhooks", "nodes"]) {
    const list = JSON.stringify((await call("GET", `/admin/${path}`)).body);
    for (const text of secrets) ok(!list.includes(text), `${path}: ${text}`);
  }
  equal((await stage.as(token.body.token)("GET", "/admin/users")).status, 200);
});

adminTest("adminRoutes() give totals that a JSON number cannot hold as text", async (stage) => {
  const { call, db } = stage;
  const userId = await made(call, "/admin/users", { name: "anna" });
  const id = await made(call, "/admin/subscriptions", { userId });
  await db.exec("UPDATE subscriptions SET used_up = $2, used_down = 9007199254740991 WHERE id = $1", [
    id,
    9_223_372_036_854_775_807n,
  ]);
  const { body } = await call("GET", `/admin/subscriptions/${id}`);
  deepEqual([body.usedUp, body.usedDown], ["9223372036854775807", 9_007_199_254_740_991]);
  equal((await call("PATCH", `/admin/subscriptions/${id}`, { limitBytes: 5 })).body.status, "limited");
});

adminTest("adminRoutes() start a new period with what was counted in it", async ({ call, db }) => {
  const userId = await made(call, "/admin/users", { name: "anna" });
  const id = await made(call, "/admin/subscriptions", { userId, limitBytes: 100 });
  await db.exec("UPDATE subscriptions SET used_up = 100, status = 'limited', limit_reached_at = 5 WHERE id = $1", [id]);
  const { body } = await call("PATCH", `/admin/subscriptions/${id}`, { periodStartedAt: "2026-11-01T00:00:00Z" });
  deepEqual([body.usedUp, body.usedDown, body.status, body.limitReachedAt], [3, 4, "active", null]);
}, {
  usage: {
    read: () => Promise.resolve({ rows: [], truncated: false }),
    recount: () => Promise.resolve({ up: 3n, down: 4n }),
    forget: () => {},
  },
});
