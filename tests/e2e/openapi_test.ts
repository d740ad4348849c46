import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import type { InstanceView } from "../../src/master/instance.ts";
import { openApiDocument } from "../../src/master/openapi/document.ts";
import { operationsOf } from "../../src/http/openapi/operations.ts";
import type { SessionRecord } from "../../src/report/types.ts";
import { deepEqual, equal, match, ok } from "../harness.ts";
import { freePort } from "../unit/tunnel/forward_fixture.ts";
import type { ApiCall, CheckedApi } from "./checked_api.ts";
import { type EventReader, KEY, masterTest } from "./clients_fixture.ts";

/** Answers that every operation shares, and one that a running master never gives: other tests bring them about. */
const ELSEWHERE = /^\w+ (401|408|413|429|431|507)$|^\w+ 503$/;

const CLIENT = `client://${KEY}@127.0.0.1:1/127.0.0.1:0?mode=2`;
const STALE = { "If-Match": '"0"' };

async function expect(api: CheckedApi, status: number, path: string, call: ApiCall = {}): Promise<Response> {
  const response = await api(path, call);
  equal(response.status, status, `${call.method ?? "GET"} ${path} ${await response.clone().text()}`);
  return response;
}

async function changes(api: CheckedApi): Promise<void> {
  const headers = { "Idempotency-Key": "once" };
  const first = await expect(api, 201, "/instances", { method: "POST", headers, body: { url: CLIENT } });
  const again = await expect(api, 201, "/instances", { method: "POST", headers, body: { url: CLIENT } });
  const { id }: InstanceView = await first.json();
  equal((await again.json()).id, id);
  await expect(api, 422, "/instances", { method: "POST", headers, body: { url: `${CLIENT}&min=2` } });
  await expect(api, 400, "/instances", { method: "POST", body: { url: "ftp://x" } });
  const etag = (await expect(api, 200, `/instances/${id}`)).headers.get("etag") ?? "";
  const changed = await expect(api, 200, `/instances/${id}`, {
    method: "PATCH",
    headers: { "If-Match": etag },
    body: { alias: "b" },
  });
  ok(changed.headers.get("etag") !== etag);
  const missing = "/instances/00000000";
  await expect(api, 404, missing);
  await expect(api, 404, missing, { method: "PATCH", body: {} });
  await expect(api, 404, missing, { method: "PUT", body: { url: CLIENT } });
  await expect(api, 404, missing, { method: "DELETE" });
  await expect(api, 404, `${missing}/sessions`);
  await expect(api, 404, `${missing}/logs`);
  await expect(api, 400, `/instances/${id}`, { method: "PATCH", body: { action: "bogus" } });
  await expect(api, 412, `/instances/${id}`, { method: "PATCH", headers: STALE, body: { alias: "c" } });
  await expect(api, 400, `/instances/${id}`, { method: "PUT", body: {} });
  await expect(api, 412, `/instances/${id}`, { method: "PUT", headers: STALE, body: { url: `${CLIENT}&min=3` } });
  await expect(api, 409, `/instances/${id}`, { method: "PUT", body: { url: CLIENT } });
  await expect(api, 200, `/instances/${id}`, { method: "PUT", body: { url: `${CLIENT}&min=3` } });
  await expect(api, 403, "/instances/********", { method: "PUT", body: { url: CLIENT } });
  await expect(api, 403, "/instances/********", { method: "DELETE" });
  await expect(api, 412, `/instances/${id}`, { method: "DELETE", headers: STALE });
  await expect(api, 204, `/instances/${id}`, { method: "DELETE", headers: { "If-Match": "*" } });
}

/** A connection through a forwarder, seen and ended through the API. */
async function sessions(api: CheckedApi, stream: EventReader): Promise<void> {
  const target = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  await once(target.listen(0, "127.0.0.1"), "listening");
  const { port } = target.address() as AddressInfo;
  const entry = await freePort();
  const url = `client://127.0.0.1:${entry}/127.0.0.1:${port}?mode=1`;
  const { id } = await api.json<InstanceView>("/instances", { method: "POST", status: 201, body: { url } });
  await stream.until(({ instance }) => instance?.id === id && instance.status === "running");
  const visitor = connect(entry, "127.0.0.1").on("error", () => {});
  await once(visitor, "connect");
  visitor.write("hello");
  await once(visitor, "data");
  const [session] = await api.json<SessionRecord[]>(`/instances/${id}/sessions`);
  equal(session?.protocol, "tcp");
  match(session?.visitor ?? "", /^127\.0\.0\.1:\d+$/);
  // However it ends.
  const closed = new Promise((resolve) => visitor.on("close", resolve));
  await expect(api, 204, `/instances/${id}/sessions/${session!.id}`, { method: "DELETE" });
  await closed;
  await expect(api, 404, `/instances/${id}/sessions/none`, { method: "DELETE" });
  ok((await api.json<string[]>(`/instances/${id}/logs`)).length > 0);
  equal((await api.json<string[]>(`/instances/${id}/logs?lines=1`)).length, 1);
  await expect(api, 400, `/instances/${id}/logs?lines=0`);
  await new Promise((resolve) => target.close(resolve));
}

masterTest("every answer that the OpenAPI document lists is one that a master gives", async ({ api, events }) => {
  const stream = await events();
  equal(stream.response.status, 200);
  await stream.until(({ type }) => type === "initial");
  await changes(api);
  await sessions(api, stream);
  await expect(api, 200, "/instances");
  for (const path of ["/info", "/metrics", "/healthz", "/readyz", "/openapi.json", "/docs", "/instances/********"]) {
    await expect(api, 200, path);
    await expect(api, 200, path, { method: "HEAD" });
  }
  await expect(api, 200, "/info", { method: "POST", body: { alias: "m" } });
  await expect(api, 400, "/info", { method: "POST", body: [] });
  await expect(api, 200, "/tcping?target=127.0.0.1:1");
  await expect(api, 400, "/tcping");
  await expect(api, 400, "/instances/********", { method: "PATCH", body: { action: "bogus" } });
  await expect(api, 200, "/instances/********", { method: "PATCH", body: { action: "restart" } });

  const listed = operationsOf(openApiDocument("/api")).flatMap(({ operation }) =>
    Object.keys(operation.responses).map((status) => `${operation.operationId} ${status}`)
  );
  // The stream is read by a reader of its own.
  const seen = new Set([...api.seen, "streamEvents 200"]);
  deepEqual(listed.filter((answer) => !seen.has(answer) && !ELSEWHERE.test(answer)), []);
});

masterTest("the document that a master shows is the one it is held against", async ({ api }) => {
  deepEqual(await api.json("/openapi.json", { key: null }), JSON.parse(JSON.stringify(openApiDocument("/api"))));
  const page = await api("/docs", { key: null });
  match(page.headers.get("content-type") ?? "", /^text\/html/);
  const policy = page.headers.get("content-security-policy") ?? "";
  match(policy, /default-src 'none'.*style-src 'self' 'sha256-/);
  ok(!policy.includes("unsafe"));
});
