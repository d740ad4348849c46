import { readFile, writeFile } from "node:fs/promises";
import { NodePassError } from "../../src/errors.ts";
import type { InstanceView } from "../../src/master/instance.ts";
import { type MasterHandle, startMaster } from "../../src/start/master.ts";
import { deepEqual, equal, match, notEqual, ok, test } from "../harness.ts";
import { inStateFolder, runtime, StateFolder } from "../unit/master/state_file_fixture.ts";
import { empty, fill, mountMissing, onSmallDisk } from "./small_disk.ts";

const URL = "client://127.0.0.1:0/127.0.0.1:9?mode=1&noudp=1";

async function refusal(stateDir: string): Promise<NodePassError> {
  try {
    await (await startMaster("master://127.0.0.1:0", { stateDir })).close();
  } catch (error) {
    ok(error instanceof NodePassError, String(error));
    return error;
  }
  throw new Error("expected a refusal");
}

/** Runs a master on this state while `use` lasts. */
async function withMaster(stateDir: string, use: (master: MasterHandle) => Promise<void>): Promise<void> {
  const master = await startMaster("master://127.0.0.1:0", { stateDir });
  try {
    await use(master);
  } finally {
    await master.close();
  }
}

async function call(master: MasterHandle, method: string, path: string, body?: unknown): Promise<Response> {
  return await fetch(`${master.apiUrl}${path}`, {
    method,
    headers: { "X-API-Key": master.key.reveal() },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function aliases(master: MasterHandle): Promise<string[]> {
  const list = await (await call(master, "GET", "/instances")).json() as InstanceView[];
  return list.filter(({ id }) => id !== "********").map(({ alias }) => alias);
}

async function create(master: MasterHandle, alias: string): Promise<number> {
  const answer = await call(master, "POST", "/instances", { alias, url: URL });
  await answer.body?.cancel();
  return answer.status;
}

test("A second master on the same state is refused, naming the first", () =>
  inStateFolder(({ path }) =>
    withMaster(path, async (master) => {
      const error = await refusal(path);
      equal(error.code, "locked");
      match(error.message, new RegExp(`process ${runtime.process.pid} holds it$`));
      deepEqual(await aliases(master), []);
    })
  ));

test("A master comes back with the same key from the copy before a damaged state", () =>
  inStateFolder(async ({ path }) => {
    const folder = new StateFolder(`${path}/state`);
    let key = "";
    await withMaster(path, async (master) => {
      key = master.key.reveal();
      equal(await create(master, "one"), 201);
    });
    await withMaster(path, () => Promise.resolve());
    const good = await readFile(folder.at("nodepass.json"));
    await writeFile(folder.at("nodepass.json"), good.subarray(0, good.length / 2));
    await withMaster(path, async (master) => {
      equal(master.key.reveal(), key);
      equal(master.isNew, false);
      deepEqual(await aliases(master), ["one"]);
    });
    for (const name of ["nodepass.json", "nodepass.json.1"]) await writeFile(folder.at(name), "");
    equal((await refusal(path)).code, "corrupt");
    for (const name of ["nodepass.json", "nodepass.json.1"]) equal((await readFile(folder.at(name))).length, 0);
    await writeFile(folder.at("nodepass.json"), good);
    await withMaster(path, (master) => Promise.resolve(equal(master.key.reveal(), key)));
  }));

test(
  "A change on a full disk is answered with 507 and did not happen",
  () =>
    onSmallDisk(64, (folder) =>
      withMaster(folder.path, async (master) => {
        equal(await create(master, "before"), 201);
        await fill(new StateFolder(`${folder.path}/state`));
        const answer = await call(master, "POST", "/instances", { alias: "x".repeat(200), url: URL });
        equal(answer.status, 507);
        deepEqual(await answer.json(), {
          error: "Cannot save: no space left on device",
          message: "Cannot save: no space left on device",
        });
        const key = master.key.reveal();
        const rotation = await call(master, "PATCH", "/instances/********", { action: "restart" });
        equal(rotation.status, 507);
        await rotation.body?.cancel();
        equal(master.key.reveal(), key);
        deepEqual(await aliases(master), ["before"]);
        await empty(new StateFolder(`${folder.path}/state`));
        equal(await create(master, "after"), 201);
        deepEqual((await aliases(master)).sort(), ["after", "before"]);
        const changed = await call(master, "PATCH", "/instances/********", { action: "restart" });
        notEqual(((await changed.json()) as InstanceView).url, key);
      })),
  { skip: await mountMissing() },
);
