// A shell script: curl, grep, sed and cut.
import { equal, match, ok } from "../harness.ts";
import { KEY, masterTest } from "./clients_fixture.ts";

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

masterTest("script: bodies are JSON even when they are called forms, or nothing", async (master) => {
  const url = `client://${KEY}@127.0.0.1:1/127.0.0.1:0?mode=2`;
  const created = await master.api("/instances", { method: "POST", headers: FORM, body: `{"url":"${url}"}` });
  equal(created.status, 201);
  const { id } = await created.json();
  for (const type of ["application/x-www-form-urlencoded", "text/plain", "application/octet-stream"]) {
    const headers = { "Content-Type": type };
    const stopped = await master.api(`/instances/${id}`, { method: "PATCH", headers, body: '{"action":"stop"}' });
    equal(stopped.status, 200, type);
  }
  const named = await master.api("/info", { method: "POST", headers: FORM, body: '{"alias":"box"}' });
  equal(named.status, 200);
});

masterTest("script: answers are one line without spaces, the id first", async (master) => {
  const body = { alias: "a b", url: `client://${KEY}@127.0.0.1:1/127.0.0.1:0?mode=2` };
  const created = await (await master.api("/instances", { method: "POST", body })).text();
  match(created, /^\{"id":"[0-9a-f]{8}","alias":"a b","type":"client","status":"[a-z]+","url":"client:/);
  const list = await (await master.api("/instances")).text();
  match(list, /^\[\{"id":"/);
  ok(!list.includes("\n"));
  equal([...list.matchAll(/\{"id":"[^"]*"/g)].length, 2);
  const info = await (await master.api("/info")).text();
  match(info, /"ver":"1\.14\.0"/);
});

masterTest("script: statuses and texts are those that masters have always given", async (master) => {
  const expect = async (path: string, call: Parameters<typeof master.api>[1], status: number, text: string) => {
    const response = await master.api(path, call);
    equal(response.status, status, text);
    ok((await response.text()).includes(`"error":"${text}"`), text);
  };
  await expect("/instances", { key: null }, 401, "Unauthorized: API key required");
  await expect("/instances", { key: "wrong" }, 401, "Unauthorized: Invalid API key");
  await expect("/instances", { method: "POST", body: "{" }, 400, "Invalid request body");
  await expect("/instances", { method: "POST", body: {} }, 400, "Invalid request body");
  await expect("/instances", { method: "POST", body: { url: "http://x/y" } }, 400, "Invalid URL scheme");
  await expect("/instances", { method: "POST", body: { url: "server://%zz" } }, 400, "Invalid URL format");
  await expect("/instances/nope", {}, 404, "Instance not found");
  await expect("/instances/", {}, 400, "Instance ID is required");
  await expect("/instances/********", { method: "DELETE" }, 403, "Forbidden: API Key");
  await expect("/instances/********", { method: "PUT", body: { url: "client://a:1/b:2" } }, 403, "Forbidden: API Key");
  await expect("/instances", { method: "DELETE" }, 405, "Method not allowed");
  await expect("/tcping", {}, 400, "Target address required");
});

masterTest("script: every route is there without the version, and with the key in any case", async (master) => {
  const root = master.base.replace(/\/v1$/, "");
  for (const path of ["/instances", "/instances/********", "/info", "/openapi.json", "/docs", "/healthz", "/readyz"]) {
    const response = await fetch(root + path, { headers: { "x-api-KEY": master.key } });
    await response.body?.cancel();
    equal(response.status, 200, path);
  }
  const bearer = await fetch(`${master.base}/instances`, { headers: { Authorization: `Bearer ${master.key}` } });
  await bearer.body?.cancel();
  equal(bearer.status, 200);
});
