import { equal, match, ok } from "../harness.ts";
import { freePort } from "../unit/tunnel/forward_fixture.ts";
import { type ClientEvent, type EventReader, KEY, masterTest, type TestMaster } from "./clients_fixture.ts";
import { echoTcp } from "./load.ts";
import { Target } from "./targets.ts";

/** Makes an instance; its id. */
async function create({ api }: TestMaster, url: string): Promise<string> {
  return (await api.json<{ id: string }>("/instances", { method: "POST", body: { url }, status: 201 })).id;
}

const SERVER = `server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1&log=info`;

/** When an event with this status came, from event number `from` on. */
async function timeOf(reader: EventReader, id: string, status: string, from: number): Promise<number> {
  const fits = ({ type, instance }: ClientEvent) =>
    type === "update" && instance?.id === id && instance.status === status;
  return Date.parse((await reader.until(fits, from)).time);
}

masterTest("events of a master: nothing changes too soon for somebody who looks", async (master) => {
  const reader = await master.events();
  const id = await create(master, SERVER);
  const created = await reader.until(({ type, instance }) => type === "create" && instance?.id === id);
  const running = await timeOf(reader, id, "running", 0);
  ok(running - Date.parse(created.time) >= 100, "the first update comes after 100 ms");
  const from = reader.events.length;
  await master.api.json(`/instances/${id}`, { method: "PATCH", body: { action: "restart" } });
  const stopped = await timeOf(reader, id, "stopped", from);
  const again = await timeOf(reader, id, "running", from);
  ok(again - stopped >= 300, `stopped is shown for ${again - stopped} ms`);
});

masterTest("events of a master: lines of an instance are told and kept", async (master) => {
  const reader = await master.events();
  const id = await create(master, SERVER);
  const { logs } = await reader.until(({ type, instance }) => type === "log" && instance?.id === id);
  ok(logs.length > 0);
  const kept = await master.api.json<unknown>(`/instances/${id}/logs`);
  ok(JSON.stringify(kept).includes(JSON.stringify(logs).slice(1, -1)), "the same line is kept");
  for (const event of reader.events) {
    equal(event.logs.includes(KEY), false, "a key in a log line");
    equal(JSON.stringify(event).includes(master.key), false, "the API key in an event");
  }
});

masterTest("metrics of a master: sessions and bytes are counted", async (master) => {
  const target = await Target.listen();
  try {
    const port = await freePort();
    const { host, port: targetPort } = target.address;
    const id = await create(master, `client://127.0.0.1:${port}/${host}:${targetPort}?mode=1&log=error`);
    const reader = await master.events();
    await reader.until(({ instance }) => instance?.id === id && instance.status === "running");
    for (let seed = 0; seed < 3; seed++) await echoTcp({ host: "127.0.0.1", port }, 1_000, seed);
    await reader.until(({ instance }) => instance?.id === id && instance.tcptx === 3_000);
    const answer = await fetch(`${master.base}/metrics`, { headers: { "X-API-Key": master.key } });
    equal(answer.status, 200);
    match(answer.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    const text = await answer.text();
    for (
      const line of [
        `nodepass_instance_up{instance="${id}",alias="",type="client"} 1`,
        `nodepass_connections{instance="${id}"} 0`,
        `nodepass_connections_total{instance="${id}"} 3`,
        `nodepass_bytes_total{instance="${id}",proto="tcp",direction="rx"} 3000`,
        `nodepass_sse_subscribers 1`,
      ]
    ) ok(text.includes(`${line}\n`), `${line}\nin\n${text}`);
    equal(text.includes(master.key), false);
  } finally {
    await target[Symbol.asyncDispose]();
  }
}, { NP_REPORT_INTERVAL: "200ms" });

masterTest("info of a master: figures of the machine are integers, and make sense", async ({ api }) => {
  const info = await api.json<Record<string, unknown>>("/info");
  for (const name of ["cpu", "mem_total", "mem_used", "mem_free", "netrx", "nettx", "diskr", "diskw", "sysup"]) {
    ok(Number.isInteger(info[name]), `${name} is ${info[name]}`);
  }
  ok(Number(info["mem_total"]) === Number(info["mem_used"]) + Number(info["mem_free"]));
  ok(Number(info["cpu"]) >= -1 && Number(info["cpu"]) <= 100);
});
