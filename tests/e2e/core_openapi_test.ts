/** Nothing drifts: the routes of a Core are the operations of its document, and its answers are those that are listed. */
import { assemble } from "../../src/core/assemble.ts";
import { Closing } from "../../src/core/closing.ts";
import { openApiDocument } from "../../src/core/openapi/document.ts";
import { createServices } from "../../src/core/services.ts";
import { readCoreSettings, startCore } from "../../src/start/core.ts";
import { operationsOf } from "../../src/http/openapi/operations.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { deepEqual, equal, match, ok, test } from "../harness.ts";
import { type CoreApi, coreApi } from "./core_api.ts";

const ENV: Readonly<Record<string, string>> = {
  ...{ PORT: "0", GRPC_PORT: "0", DATABASE_URL: "sqlite::memory:", NODE_REGISTRATION: "approval" },
};
const settings = readCoreSettings((name) => ENV[name]);
const operations = operationsOf(openApiDocument);

test("core: every route is in the OpenAPI document and every operation is a route, with the access that it has", async () => {
  const closing = new Closing(silentLogger);
  try {
    const parts = await assemble({ runtime: await detectRuntime(), logger: silentLogger, settings }, closing);
    const { app, routes } = await createServices(parts, closing);
    const served = routes.map(({ method, path, access }) => `${method} ${path} ${access}`).sort();
    const described = operations.map(({ method, path, operation: { security } }) => {
      const [name, scopes] = Object.entries(security?.[0] ?? {})[0] ?? ["public", []];
      return `${method.toUpperCase()} ${path} ${name === "NodeKey" ? "node" : scopes[0] ?? name}`;
    });
    deepEqual(described.sort(), served);
    // What the table says is what the application listens to.
    const listening = new Set(app.routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`));
    for (const { method, path } of routes) ok(listening.has(`${method} ${path}`), `${method} ${path}`);
  } finally {
    await closing.run();
  }
});

async function withCore(run: (api: CoreApi) => Promise<void>): Promise<void> {
  const core = await startCore({ settings });
  try {
    await run(coreApi(core.httpUrl, core.adminToken ?? ""));
  } finally {
    await core.close();
  }
}

const NODE = { code: "de-1", name: "One", ip: "203.0.113.7", port: 8080, region: "eu" };
const NONE = "999999";

async function records(api: CoreApi): Promise<Record<string, string>> {
  const node = await api.json<{ id: number; authKey: string }>("POST", "/admin/nodes", NODE);
  const user = await api.json<{ id: number }>("POST", "/admin/users", { name: "ada" });
  const subscription = await api.json<{ id: number }>("POST", "/admin/subscriptions", { userId: user.id });
  const settings = { port: 443 };
  const inbound = { nodeId: node.id, service: "xray", protocol: "vless", tag: "in", settings };
  const protocol = await api.json<{ id: number }>("POST", "/admin/node-protocols", inbound);
  const outbound = { nodeId: node.id, tag: "out", settings: { protocol: "freedom" } };
  const out = await api.json<{ id: number }>("POST", "/admin/node-outbounds", outbound);
  const tunnel = { nodeId: node.id, alias: "web", url: "client://k@198.51.100.9:1/127.0.0.1:2" };
  const web = await api.json<{ id: number }>("POST", "/admin/node-tunnels", tunnel);
  const link = await api.json<{ uuid: string }>("POST", "/admin/links", {
    ...{ userId: user.id, subscriptionId: subscription.id, kind: "xray", nodeProtocolIds: [protocol.id] },
  });
  const hook = await api.json<{ id: number }>("POST", "/admin/webhooks", { url: "https://panel.example/e" });
  return {
    ...{ authKey: node.authKey, node: `/admin/nodes/${node.id}`, user: `/admin/users/${user.id}` },
    ...{ subscription: `/admin/subscriptions/${subscription.id}`, protocol: `/admin/node-protocols/${protocol.id}` },
    ...{
      out: `/admin/node-outbounds/${out.id}`,
      web: `/admin/node-tunnels/${web.id}`,
      link: `/admin/links/${link.uuid}`,
    },
    ...{ hook: `/admin/webhooks/${hook.id}`, entry: JSON.stringify({ userId: user.id, nodeProtocolId: protocol.id }) },
  };
}

/** Read, change, remove, each also wrongly. */
async function everyKind(api: CoreApi, made: Readonly<Record<string, string>>): Promise<void> {
  const stale = { "If-Match": '"0"' };
  const kinds: readonly (readonly [string, object])[] = [
    ...[["hook", { enabled: false }], ["link", { enabled: false }], ["web", { alias: "w" }]] as const,
    ...[["out", { enabled: false }], ["protocol", { enabled: false }], ["subscription", { name: "m" }]] as const,
    ...[["user", { note: "n" }], ["node", { name: "Two" }]] as const,
  ];
  for (const [name, change] of kinds) {
    const path = made[name] ?? "";
    const all = path.slice(0, path.lastIndexOf("/"));
    const none = `${all}/${name === "link" ? "00000000-0000-4000-8000-000000000000" : NONE}`;
    await api.expect(200, "GET", all);
    await api.expect(400, "GET", `${all}?limit=0`);
    await api.expect(400, "POST", all, { nothing: 1 });
    await api.expect(415, "POST", all, "{}", { "Content-Type": "text/plain" });
    await api.expect(413, "POST", all, JSON.stringify({ name: "x".repeat(1_100_000) }));
    await api.expect(404, "GET", none);
    await api.expect(404, "PATCH", none, {});
    await api.expect(404, "DELETE", none);
    const etag = (await api.expect(200, "GET", path)).headers.get("etag") ?? "";
    await api.expect(412, "PATCH", path, change, stale);
    await api.expect(412, "DELETE", path, undefined, stale);
    await api.expect(400, "PATCH", path, { nothing: 1 });
    await api.expect(415, "PATCH", path, "{}", { "Content-Type": "text/plain" });
    await api.expect(413, "PATCH", path, JSON.stringify({ name: "x".repeat(1_100_000) }));
    await api.expect(200, "PATCH", path, change, { "If-Match": etag });
  }
  await api.expect(409, "POST", "/admin/users", { name: "ada" });
  for (const [name] of kinds) await api.expect(200, "DELETE", made[name] ?? "");
}

test("core: answers to administrators are those that the document lists", async () => {
  await withCore(async (api) => {
    const made = await records(api);
    const { node, user } = made as { node: string; user: string };
    for (const action of ["disable", "enable", "reenrol", "rotate-key", "resync", "approve"]) {
      await api.expect(200, "POST", `${node}/${action}`);
      await api.expect(404, "POST", `/admin/nodes/${NONE}/${action}`);
    }
    await api.expect(200, "GET", `${node}/config/revisions`);
    const [latest] = (await api.json<{ items: { revision: number }[] }>("GET", `${node}/config/revisions`)).items;
    await api.expect(200, "GET", `${node}/config/revisions/${latest?.revision}`);
    await api.expect(404, "GET", `${node}/config/revisions/${NONE}`);
    await api.expect(200, "POST", `${node}/config/rollback`, { revision: latest?.revision });
    await api.expect(404, "POST", `${node}/config/rollback`, { revision: 999_999 });
    await api.expect(400, "POST", `${node}/config/rollback`, {});
    for (const path of [`${node}/usage`, `${user}/usage`]) {
      await api.expect(200, "GET", path);
      await api.expect(400, "GET", `${path}?from=2026-02-02T00:00:00Z&to=2026-01-01T00:00:00Z`);
      await api.expect(404, "GET", path.replace(/\d+/, NONE));
    }
    for (const path of [`${node}/runtime-status`, `${node}/stats-history`]) await api.expect(200, "GET", path);
    await api.expect(400, "GET", `${node}/runtime-status?fromNode=maybe`);
    for (const path of [`${user}/ips`, `${user}/online`, "/admin/online", "/admin/audit", "/admin/tokens"]) {
      await api.expect(200, "GET", path);
    }
    await api.expect(200, "DELETE", `${user}/ips`);
    const token = await api.json<{ id: number; token: string }>("POST", "/admin/tokens", {
      ...{ name: "reader", scopes: ["read"] },
    });
    await api.expect(403, "POST", "/admin/users", { name: "x" }, { Authorization: `Bearer ${token.token}` });
    await api.expect(200, "PATCH", `/admin/tokens/${token.id}`, { scopes: ["write"], expiresAt: null });
    await api.expect(200, "POST", "/admin/users", { name: "x" }, { Authorization: `Bearer ${token.token}` });
    await api.expect(200, "GET", `/admin/tokens/${token.id}`);
    await api.expect(404, "PATCH", `/admin/tokens/${NONE}`, {});
    await api.expect(200, "DELETE", `/admin/tokens/${token.id}`);
    await api.expect(401, "GET", "/admin/users", undefined, { Authorization: `Bearer ${token.token}` });
    const join = await api.json<{ id: number }>("POST", "/admin/join-tokens", { maxUses: 2 });
    await api.expect(200, "GET", "/admin/join-tokens");
    await api.expect(200, "DELETE", `/admin/join-tokens/${join.id}`);
    await everyKind(api, made);
  });
});

test("core: answers to nodes and to everybody are those that the document lists", async () => {
  await withCore(async (api) => {
    const made = await records(api);
    const key = { "x-node-auth-key": made.authKey ?? "" };
    const recordedAt = new Date().toISOString();
    const entry = { ...JSON.parse(made.entry ?? "{}"), subscriptionId: null, bytesUp: 1, bytesDown: 2, recordedAt };
    const good: Readonly<Record<string, object>> = {
      "/node/heartbeat": { revision: 0 },
      "/node/usage": { entries: [entry] },
      "/node/outbound-usage": { items: [{ tag: "out", bytesUp: 1, bytesDown: 2 }] },
      "/node/session-events": {
        events: [{ userId: 1, protocol: "vless", eventType: "online", occurredAt: recordedAt }],
      },
      "/node/config/applied": { revision: 0 },
      "/node/error": { message: "xray exited 23", details: { revision: 1 } },
    };
    for (const [path, body] of Object.entries(good)) {
      const answer = await api.expect(200, "POST", path, body, key);
      match(answer.headers.get("x-core-intervals") ?? "", /^hb=\d+,/);
      await api.expect(401, "POST", path, body, { Authorization: "" });
      await api.expect(415, "POST", path, "{}", { ...key, "Content-Type": "text/plain" });
      if (path !== "/node/heartbeat") await api.expect(400, "POST", path, {}, key);
    }
    const place = { "x-report-stream": "0d4c7f2a-91b6-4e38-8a55-2f7be1c09d14", "x-report-seq": "5" };
    const skipped = await api.expect(409, "POST", "/node/usage", { entries: [entry] }, { ...key, ...place });
    equal(skipped.headers.get("x-report-next"), "1");
    await api.expect(409, "POST", "/node/config/applied", { revision: 999 }, key);
    const config = await api.expect(200, "GET", "/node/config/latest", undefined, key);
    await api.expect(304, "GET", "/node/config/latest", undefined, {
      ...key,
      "If-None-Match": config.headers.get("etag") ?? "",
    });
    const registered = await api.json<{ authKey: string }>("POST", "/node/register", { ...NODE, code: "de-2" }, 201);
    await api.expect(403, "GET", "/node/config/latest", undefined, { "x-node-auth-key": registered.authKey });
    await api.expect(409, "POST", "/node/register", NODE);
    await api.expect(400, "POST", "/node/register", {});
    for (const path of ["/healthz", "/readyz", "/openapi.json", "/docs", "/metrics"]) {
      await api.expect(200, "GET", path);
      await api.expect(200, "HEAD", path);
      await api.expect(405, "DELETE", path);
    }
    await api.expect(404, "GET", "/nowhere");
    await api.expect(404, "GET", "/admin/users/");
    const shown = await (await api.expect(200, "GET", "/openapi.json")).json();
    deepEqual(shown, JSON.parse(JSON.stringify(openApiDocument)));
    const policy = (await api.expect(200, "GET", "/docs")).headers.get("content-security-policy") ?? "";
    match(policy, /default-src 'none'.*style-src 'self' 'sha256-/);
    ok(!policy.includes("unsafe"));
  });
});

test("core: a POST with an Idempotency-Key that comes twice happens once", async () => {
  await withCore(async (api) => {
    const key = { "Idempotency-Key": "once" };
    const first = await (await api.expect(200, "POST", "/admin/users", { name: "ada" }, key)).json();
    const again = await (await api.expect(200, "POST", "/admin/users", { name: "ada" }, key)).json();
    deepEqual(again, first);
    await api.expect(409, "POST", "/admin/users", { name: "bob" }, key);
    await api.expect(409, "POST", "/admin/users", { name: "ada" });
    // What did not work is not kept, and another token has keys of its own.
    const { token } = await api.json<{ token: string }>("POST", "/admin/tokens", { name: "t", scopes: ["write"] });
    const other = { ...key, Authorization: `Bearer ${token}` };
    await api.expect(400, "POST", "/admin/users", {}, other);
    await api.expect(200, "POST", "/admin/users", { name: "eve" }, other);
    await api.expect(400, "POST", "/admin/users", { name: "x" }, { "Idempotency-Key": "k".repeat(257) });
    const both = await Promise.all(
      [1, 2, 3].map(() =>
        api.json<{ id: number }>("POST", "/admin/join-tokens", {}, 200, { "Idempotency-Key": "three" })
      ),
    );
    equal(new Set(both.map(({ id }) => id)).size, 1);
  });
});
