import { mkdir, readFile, writeFile } from "node:fs/promises";
import { NodePassError } from "../../src/errors.ts";
import { createLogger } from "../../src/log/logger.ts";
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

test("A first start takes over the state of a Go master, and the next one has it", () =>
  inStateFolder(async ({ path }) => {
    const gob = await readFile(new globalThis.URL("../fixtures/gob/state-1.14.gob", import.meta.url));
    await mkdir(`${path}/gob`);
    await writeFile(`${path}/gob/nodepass.gob`, gob);
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(line);
    const logger = createLogger({ level: "info", format: "text", color: false, write, wall: () => 0 });
    const shown = async (master: MasterHandle): Promise<unknown> => {
      const list = await (await call(master, "GET", "/instances")).json() as InstanceView[];
      const { mid } = await (await call(master, "GET", "/info")).json() as { mid: string };
      return [mid, master.isNew, ...list.map(({ id, alias, url, restart }) => [id, alias, url, restart].join(" "))];
    };
    const expected = [
      ...["f378ec6f25ae10fa", false],
      "******** m1 b80b310d12a9752c77c5ed16cca18a2d false",
      "4330cbd7  client://k@127.0.0.1:10101/127.0.0.1:5302?log=info&min=8 true",
      "ac881219 srv2 server://k@127.0.0.1:10101/127.0.0.1:10022?log=info&tls=0 false",
    ];
    const first = await startMaster("master://127.0.0.1:0", { stateDir: path, logger });
    try {
      deepEqual(await shown(first), expected);
      match(await (await call(first, "GET", "/instances/ac881219")).text(), /"config":"server:[^"]*wire=1\.14"/);
    } finally {
      await first.close();
    }
    const told = lines.filter((line) => line.includes("taken over"));
    equal(told.length, 1);
    match(told[0] ?? "", /path=\S+\/gob\/nodepass\.gob instances=2 changes="2 instances without wire= in the URL keep/);
    await writeFile(`${path}/gob/nodepass.gob`, "damaged");
    await withMaster(path, async (master) => deepEqual(await shown(master), expected));
    deepEqual(lines.filter((line) => line.includes("taken over")).length, 1);
  }));

test("A first start beside a damaged state of a Go master is refused, and nothing is stored", () =>
  inStateFolder(async ({ path }) => {
    await mkdir(`${path}/gob`);
    await writeFile(`${path}/gob/nodepass.gob`, new Uint8Array([0x0f, 0xff]));
    const error = await refusal(path);
    equal(error.code, "corrupt");
    match(error.message, /nodepass\.gob: byte 0: the message has 15 bytes, the file 1 more$/m);
    deepEqual(await new StateFolder(`${path}/state`).names(), []);
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
