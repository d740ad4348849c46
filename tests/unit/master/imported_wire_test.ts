/** Instances of a Go master keep the wire of their peers, until somebody says otherwise. */
import type { StoredInstance } from "../../../src/master/instance.ts";
import { deepEqual, equal, match, test } from "../../harness.ts";
import { instanceOf } from "./state_file_fixture.ts";
import { InstancesWorld, received } from "./instances_fixture.ts";

const ID = "00000004";
const URL = "client://k@127.0.0.1:1001/127.0.0.1:80?min=8";
const OTHER = "client://k@127.0.0.1:1001/127.0.0.1:81?min=8";

const importedInstance: StoredInstance = { ...instanceOf(4), url: URL, restart: true, wire: "1.14" };

/** A master with one instance that was imported; all others speak `secure`. */
function world(instances: readonly StoredInstance[] = [importedInstance]): InstancesWorld {
  return new InstancesWorld({ state: { instances } });
}

function config(of: InstancesWorld): string {
  return of.instances.get(ID)?.config ?? "";
}

test("An imported instance runs with wire=1.14 and shows its URL as it was", async () => {
  const master = world();
  match(master.commands.join(), /^start 00000004 client:.*wire=1\.14$/);
  match(config(master), /wire=1\.14$/);
  equal(master.instances.get(ID)?.url, URL);
  const { id } = await master.instances.create({ url: URL, alias: "" });
  match(master.instances.get(id)?.config ?? "", /wire=secure$/);
  await master.instances.close();
});

test("An imported instance keeps its wire over changes and restarts", async () => {
  const first = world();
  await first.instances.patch(ID, { alias: "b", action: "restart", restart: false }, null);
  match(first.commands.at(-1) ?? "", /^restart 00000004 .*wire=1\.14$/);
  await first.instances.replaceUrl(ID, OTHER, null);
  match(config(first), /^client:.*:81\?.*wire=1\.14$/);
  match(first.commands.at(-1) ?? "", /^restart 00000004 .*:81\?.*wire=1\.14$/);
  const stored = first.written.at(-1)?.instances ?? [];
  deepEqual(stored.map(({ url, wire }) => [url, wire]), [[OTHER, "1.14"]]);
  await first.instances.close();
  const second = world(stored);
  match(config(second), /wire=1\.14$/);
  await second.instances.close();
});

test("A URL that names a wire decides, and from then on the master's counts", async () => {
  const master = world();
  const refused = master.instances.replaceUrl(ID, `${OTHER}&wire=2`, null);
  await refused.then(() => Promise.reject(new Error("accepted")), () => {});
  match(config(master), /wire=1\.14$/, "a refused change changes nothing");
  await Promise.all([
    master.instances.replaceUrl(ID, `${URL}&wire=secure`, null),
    master.instances.replaceUrl(ID, OTHER, null),
  ]);
  match(config(master), /:81\?.*wire=secure$/);
  deepEqual(master.written.at(-1)?.instances.map(({ wire }) => wire), [undefined]);
  await master.instances.close();
});

test("An empty wire= names none", async () => {
  const master = world();
  await master.instances.replaceUrl(ID, `${URL}&wire=`, null);
  match(config(master), /wire=1\.14$/);
  await master.instances.close();
});

test("An imported instance that cannot run does not run as something else", async () => {
  const url = `${URL}&type=2`;
  const master = world([{ ...importedInstance, url }]);
  equal(master.instances.get(ID)?.url, url);
  match(master.commands.join(), /^start 00000004 client:.*type=2.*wire=1\.14$/);
  await master.instances.close();
});

test("Counters at their end stay there", async () => {
  const counters = received(Number.MAX_SAFE_INTEGER);
  const master = world([{ ...importedInstance, counters }]);
  const gauges = { mode: 0, ping: 0, pool: 0, tcps: 0, udps: 0 };
  master.instances.events.checkpoint(ID, gauges, received(1000), { connections: 0, rejections: {}, weakKey: false });
  await master.instances.patch(ID, { alias: "b" }, null);
  await master.instances.close();
  deepEqual(master.written.at(-1)?.instances.map((instance) => instance.counters), [counters]);
});
