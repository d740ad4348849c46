// A panel in a browser: a page of another origin.
import type { InstanceView } from "../../src/master/instance.ts";
import { deepEqual, equal, ok } from "../harness.ts";
import { masterTest } from "./clients_fixture.ts";

const ORIGIN = "https://panel.example.org";

/** What a browser looks at before it shows an answer to a page. */
function isShown(response: Response): boolean {
  return response.headers.get("access-control-allow-origin") === "*";
}

masterTest("panel: the preflight of every call succeeds without the key", async (master) => {
  for (const path of ["/instances", "/instances/ac881219", "/instances/********", "/events", "/info", "/tcping"]) {
    const response = await master.api(path, {
      method: "OPTIONS",
      key: null,
      headers: {
        Origin: ORIGIN,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "content-type,x-api-key,cache-control",
      },
    });
    ok(response.ok && isShown(response), path);
    const methods = (response.headers.get("access-control-allow-methods") ?? "").split(/, */);
    for (const method of ["GET", "POST", "PATCH", "PUT", "DELETE"]) ok(methods.includes(method), method);
    const headers = (response.headers.get("access-control-allow-headers") ?? "").toLowerCase().split(/, */);
    for (const name of ["content-type", "x-api-key", "cache-control", "authorization"]) {
      ok(headers.includes(name), name);
    }
  }
});

masterTest("panel: errors can be read by the page", async (master) => {
  const calls: [string, number, Parameters<typeof master.api>[1]][] = [
    ["/instances", 401, { key: null }],
    ["/instances", 401, { key: "0".repeat(32) }],
    ["/instances/00000000", 404, {}],
    ["/nothing", 404, {}],
    ["/instances", 400, { method: "POST", body: "{" }],
    ["/instances", 405, { method: "DELETE" }],
    ["/instances/********", 403, { method: "DELETE" }],
  ];
  for (const [path, status, call] of calls) {
    const response = await master.api(path, { ...call, headers: { Origin: ORIGIN } });
    equal(response.status, status, path);
    ok(isShown(response), path);
    const { error, message } = await response.json();
    ok(typeof error === "string" && error !== "");
    equal(message, error);
  }
});

masterTest("panel: the event stream can be read by the page, and so can its refusal", async (master) => {
  const reader = await master.events({ Origin: ORIGIN });
  ok(isShown(reader.response));
  await reader.until(({ type }) => type === "initial");
  deepEqual(reader.names, ["instance"]);
  const refused = await master.api("/events", { key: null, headers: { Origin: ORIGIN } });
  equal(refused.status, 401);
  ok(isShown(refused));
});

masterTest("panel: a new key comes as the URL, the old one ends with a word", async (master) => {
  const reader = await master.events();
  await reader.until(({ type }) => type === "initial");
  const call = { method: "PATCH", body: { action: "restart" } };
  const { url } = await master.api.json<InstanceView>("/instances/********", call);
  ok(/^[0-9a-f]{32}$/.test(url) && url !== master.key);
  const last = await reader.until(({ type }) => type === "shutdown");
  equal(last.instance, null);
  await reader.end();
  equal((await master.api("/instances")).status, 401);
  equal((await master.api("/instances", { key: url })).status, 200);
});
