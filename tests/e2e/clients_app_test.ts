// An application in Swift: a member that is missing or null fails the whole answer.
import type { InstanceView } from "../../src/master/instance.ts";
import { deepEqual, equal, match, ok } from "../harness.ts";
import { freePort } from "../unit/tunnel/forward_fixture.ts";
import { KEY, masterTest } from "./clients_fixture.ts";

const MEMBERS = "id alias type status url config restart meta mode ping pool tcps udps tcprx tcptx udprx udptx".split(
  " ",
);

masterTest("app: all members are there in every state", async (master) => {
  const reader = await master.events();
  const complete = (view: InstanceView): void => {
    deepEqual(Object.keys(view), MEMBERS);
    ok(Object.values(view).every((member) => member !== null && member !== undefined));
    deepEqual(Object.keys(view.meta), ["peer", "tags"]);
    deepEqual(Object.keys(view.meta.peer), ["sid", "type", "alias"]);
  };
  const port = await freePort();
  const url = `server://${KEY}@127.0.0.1:${port}/127.0.0.1:1?tls=0`;
  const create = { method: "POST", status: 201, body: { url } };
  const running = await master.api.json<InstanceView>("/instances", create);
  complete(running);
  await reader.until(({ instance }) => instance?.id === running.id && instance.status === "running");
  // The port is taken now.
  const failing = await master.api.json<InstanceView>("/instances", create);
  await reader.until(({ instance }) => instance?.id === failing.id && instance.status === "error");
  complete(
    await master.api.json<InstanceView>(`/instances/${running.id}`, { method: "PATCH", body: { action: "stop" } }),
  );
  await reader.until(({ instance }) => instance?.id === running.id && instance.status === "stopped");
  const list = await master.api.json<InstanceView[]>("/instances");
  for (const view of list) complete(view);
  deepEqual(list.map(({ status }) => status).sort(), ["", "error", "stopped"]);
});

masterTest("app: an edited URL replaces the old one; the same one again is a conflict with a text", async (master) => {
  const body = { url: `client://${KEY}@127.0.0.1:1/127.0.0.1:0?mode=2` };
  const { id } = await master.api.json<InstanceView>("/instances", { method: "POST", status: 201, body });
  const edited = { url: `client://${KEY}@127.0.0.1:1/127.0.0.1:0?mode=2&min=3` };
  const changed = await master.api.json<InstanceView>(`/instances/${id}`, { method: "PUT", body: edited });
  equal(changed.url, edited.url);
  const again = await master.api(`/instances/${id}`, { method: "PUT", body: edited });
  equal(again.status, 409);
  equal((await again.json()).error, "Instance URL conflict");
});

masterTest("app: a deleted instance answers without a body", async (master) => {
  const body = { url: `client://${KEY}@127.0.0.1:1/127.0.0.1:0?mode=2` };
  const { id } = await master.api.json<InstanceView>("/instances", { method: "POST", status: 201, body });
  const gone = await master.api(`/instances/${id}`, { method: "DELETE" });
  equal(gone.status, 204);
  equal(await gone.text(), "");
  equal((await master.api(`/instances/${id}`, { method: "DELETE" })).status, 404);
});

masterTest("app: the end of the master is announced, and times are read", async (master) => {
  const reader = await master.events();
  await reader.until(({ type }) => type === "initial");
  const closed = master.handle.close();
  const last = await reader.until(({ type }) => type === "shutdown");
  equal(last.instance, null);
  await reader.end();
  await closed;
  for (const { time } of reader.events) {
    match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time);
  }
});
