// A dashboard in Go: fixed types, `/info` every two seconds, `/events` kept open.
import type { InstanceView } from "../../src/master/instance.ts";
import { deepEqual, equal, match, ok } from "../harness.ts";
import { freePort } from "../unit/tunnel/forward_fixture.ts";
import { KEY, masterTest } from "./clients_fixture.ts";

const INSTANCE: Readonly<Record<string, string>> = {
  id: "string",
  alias: "string",
  type: "string",
  status: "string",
  url: "string",
  config: "string",
  restart: "boolean",
  meta: "object",
  mode: "integer",
  ping: "integer",
  pool: "integer",
  tcps: "integer",
  udps: "integer",
  tcprx: "integer",
  tcptx: "integer",
  udprx: "integer",
  udptx: "integer",
};

const INFO: Readonly<Record<string, string>> = {
  ...Object.fromEntries("mid alias os arch ver name log tls crt key".split(" ").map((name) => [name, "string"])),
  ...Object.fromEntries(
    "cpu mem_total mem_used swap_total swap_used netrx nettx diskr diskw sysup uptime".split(" ")
      .map((name) => [name, "integer"]),
  ),
};

/** Fails where a decoder with fixed types would. */
function decode(types: Readonly<Record<string, string>>, value: Record<string, unknown>): void {
  for (const [name, type] of Object.entries(types)) {
    const member = value[name];
    const found = member === null ? "null" : Number.isSafeInteger(member) ? "integer" : typeof member;
    equal(found, type, name);
  }
}

masterTest("dashboard: info has a version that it accepts, and integers", async (master) => {
  const info = await master.api.json<Record<string, unknown>>("/info");
  decode(INFO, info);
  const [major = 0, minor = 0] = String(info.ver).split(".").map(Number);
  ok(major > 1 || (major === 1 && minor >= 10), String(info.ver));
  const renamed = await master.api.json<Record<string, unknown>>("/info", {
    method: "POST",
    body: { alias: "Köln 1" },
  });
  equal(renamed.alias, "Köln 1");
  equal((await master.api.json<InstanceView>("/instances/********")).alias, "Köln 1");
});

masterTest("dashboard: structures decode, without envelopes and without null", async (master) => {
  const url = `server://${KEY}@127.0.0.1:${await freePort()}/127.0.0.1:1?tls=0`;
  const created = await master.api.json<InstanceView>("/instances", { method: "POST", status: 201, body: { url } });
  const list = await master.api.json<Record<string, unknown>[]>("/instances");
  equal(list.length, 2);
  for (const one of list) decode(INSTANCE, one);
  decode(INSTANCE, await master.api.json(`/instances/${created.id}`));
  deepEqual(created.meta, { peer: { sid: "", type: "", alias: "" }, tags: {} });
  const missing = await master.api("/instances/00000000");
  equal(missing.headers.get("content-type"), "application/json");
});

masterTest("dashboard: URLs that people typed years ago create, and come back byte for byte", async (master) => {
  const urls = [
    "server://:0/127.0.0.1:1",
    "server://secret!$'()*,;@:0/:1?tls=0&log=info",
    "server://k@[::1]:0/[::1]:1",
    `client://${KEY}@127.0.0.1:1/127.0.0.1:0?log=&&mode=2`,
    `client://${KEY}@127.0.0.1:1/127.0.0.1:0?mode=2&unknown=yes&quic=1`,
    `server://${KEY}@127.0.0.1:0/127.0.0.1:1?tls=2&cert=/nowhere/a.crt&key=/nowhere/a.key`,
    `client://${KEY}@example.invalid:1/:0?mode=2&min=1&read=1h&rate=10&proxy=0`,
  ];
  const reader = await master.events();
  for (const url of urls) {
    const { id } = await master.api.json<InstanceView>("/instances", { method: "POST", status: 201, body: { url } });
    equal((await master.api.json<InstanceView>(`/instances/${id}`)).url, url);
    await reader.until(({ instance }) => instance?.id === id && /running|error/.test(instance.status));
    equal((await master.api(`/instances/${id}`, { method: "DELETE" })).status, 204);
  }
});

masterTest("dashboard: notes are cleared the way it clears them", async (master) => {
  const body = { alias: "one", url: `client://${KEY}@127.0.0.1:1/127.0.0.1:0?mode=2` };
  const { id } = await master.api.json<InstanceView>("/instances", { method: "POST", status: 201, body });
  const patch = async (change: unknown): Promise<InstanceView> =>
    await master.api.json<InstanceView>(`/instances/${id}`, { method: "PATCH", body: change });
  await patch({ meta: { peer: { sid: "s", type: "1", alias: "p" }, tags: { region: "eu", tier: "2" } } });
  const cleared = await patch({ meta: { peer: { sid: null, type: null, alias: null }, tags: { region: "us" } } });
  deepEqual(cleared.meta, { peer: { sid: "", type: "", alias: "" }, tags: { region: "us" } });
  deepEqual((await patch({ meta: { tags: {} } })).meta.tags, {});
  equal((await patch({ alias: "", action: null, restart: null, meta: null })).alias, "one");
  equal((await patch({})).alias, "one");
});

masterTest("dashboard: tcping with an unencoded target", async (master) => {
  const port = new URL(master.base).port;
  const reached = await master.api.json<Record<string, unknown>>(`/tcping?target=127.0.0.1:${port}`);
  decode({ target: "string", connected: "boolean", latency: "integer", error: "null" }, reached);
  equal(reached.connected, true);
  const closed = await freePort();
  const refused = await master.api.json<Record<string, unknown>>(`/tcping?target=[::1]:${closed}`);
  equal(refused.target, `[::1]:${closed}`);
  equal(refused.connected, false);
  equal(typeof refused.error, "string");
});

masterTest("dashboard: events begin with every instance, within a second", async (master) => {
  const body = { url: `client://${KEY}@127.0.0.1:1/127.0.0.1:0?mode=2` };
  const { id } = await master.api.json<InstanceView>("/instances", { method: "POST", status: 201, body });
  const reader = await master.events();
  equal(reader.response.headers.get("content-type"), "text/event-stream");
  await reader.until(({ type, instance }) => type === "initial" && instance?.id === id);
  const key = await reader.until(({ type, instance }) => type === "initial" && instance?.id === "********");
  equal(key.instance?.url, "");
  ok(reader.firstByteMs < 1_000, String(reader.firstByteMs));
  match(reader.preamble, /^retry: 3000\n/);
  for (const { logs, instance } of reader.events) {
    equal(typeof logs, "string");
    decode(INSTANCE, instance as unknown as Record<string, unknown>);
  }
});

masterTest("dashboard: events tell of all that happens to an instance", async (master) => {
  const reader = await master.events();
  await reader.until(({ type }) => type === "initial");
  const body = { url: `server://${KEY}@127.0.0.1:${await freePort()}/127.0.0.1:1?tls=0` };
  const { id } = await master.api.json<InstanceView>("/instances", { method: "POST", status: 201, body });
  const mine = (type: string, status?: string) => (event: { type: string; instance: InstanceView | null }): boolean =>
    event.type === type && event.instance?.id === id && (status === undefined || event.instance.status === status);
  await reader.until(mine("create"));
  await reader.until(mine("update", "running"));
  await reader.until(mine("log"));
  const from = reader.events.length;
  await master.api.json(`/instances/${id}`, { method: "PATCH", body: { action: "stop" } });
  await reader.until(mine("update", "stopped"), from);
  await master.api(`/instances/${id}`, { method: "DELETE" });
  await reader.until(mine("delete"), from);
});

masterTest("dashboard: charts get one update per instance in every report interval", async (master) => {
  const body = { url: `client://127.0.0.1:0/127.0.0.1:1?mode=1` };
  const { id } = await master.api.json<InstanceView>("/instances", { method: "POST", status: 201, body });
  const reader = await master.events();
  const times: number[] = [];

  await reader.until(({ type, instance, time }) => {
    if (type === "update" && instance?.id === id) times.push(Date.parse(time));
    return times.length === 8;
  });
  // The first ones may tell of the start; between the others a tenth may be missing or too much, and a busy machine's delay.
  const gaps = times.slice(3).map((time, at) => time - times[at + 2]!);
  for (const gap of gaps) ok(gap >= 150 && gap <= 450, gaps.join(" "));
}, { NP_REPORT_INTERVAL: "250ms" });
