import { stat, writeFile } from "node:fs/promises";
import { NodePassError } from "../../../src/errors.ts";
import { readState } from "../../../src/master/state_file/open.ts";
import type { MasterState } from "../../../src/master/state_file/types.ts";
import type { Files } from "../../../src/runtime/types.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, match, ok, rejects, test } from "../../harness.ts";
import { instanceOf, inStateFolder, runtime, stateOf } from "./state_file_fixture.ts";

/** Files whose writes wait until they are let go, and fail when they are told to. */
class SlowFiles {
  readonly written: string[] = [];
  readonly waiting: PromiseWithResolvers<void>[] = [];
  readonly files: Files = {
    ...runtime.files,
    writeAtomically: async (path, bytes, options) => {
      const gate = Promise.withResolvers<void>();
      this.waiting.push(gate);
      await gate.promise;
      await runtime.files.writeAtomically(path, bytes, options);
      this.written.push(path.slice(path.lastIndexOf("/") + 1));
    },
  };

  /** Lets the next write go on. */
  async next(error?: NodePassError): Promise<void> {
    while (this.waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    const gate = this.waiting.shift();
    if (error === undefined) gate?.resolve();
    else gate?.reject(error);
  }
}

const full = new NodePassError("no_space", "Cannot write: no space left on device");

test("openState() finds nothing at first, then what was saved", () =>
  inStateFolder(async (folder) => {
    equal(await folder.run(stateOf(0), stateOf(3)), null);
    deepEqual(await folder.run(), stateOf(3));
    deepEqual(await folder.run(stateOf(1)), stateOf(3));
    deepEqual(await readState(folder.options), stateOf(1));
    deepEqual(await folder.names(), ["nodepass.json", "nodepass.json.1"]);
    for (const name of await folder.names()) equal((await stat(folder.at(name))).mode & 0o777, 0o600);
    deepEqual(folder.log, []);
  }));

test("openState() makes its folder, for the owner alone", () =>
  inStateFolder(async (folder) => {
    const { openState } = await import("../../../src/master/state_file/open.ts");
    const directory = folder.at("deep/state");
    await (await openState({ ...folder.options, directory })).close();
    equal((await stat(directory)).mode & 0o777, 0o700);
  }));

test("openState() refuses a folder that is in use, and names the process", () =>
  inStateFolder(async (folder) => {
    const store = await folder.open();
    const message = new RegExp(`^Cannot use the state in .*: process ${runtime.process.pid} holds it$`);
    await rejects(folder.open(), (error: NodePassError) => error.code === "locked" && message.test(error.message));
    await store.close();
    await store.close();
    await folder.run();
  }));

test("save() of many at once shares writes, and each is there when it resolves", () =>
  inStateFolder(async (folder) => {
    const slow = new SlowFiles();
    folder.files = slow.files;
    const store = await folder.open();
    const saves = [store.save(stateOf(1))];
    const first = slow.next();
    await saves[0];
    await first;
    saves.push(store.save(stateOf(2)));
    await Promise.resolve();
    await Promise.resolve();
    saves.push(...[3, 4, 5, 6].map((count) => store.save(stateOf(count))));
    await slow.next();
    await saves[1];
    await slow.next();
    await Promise.all(saves);
    deepEqual(slow.written.length, 3);
    deepEqual(await readState(folder.options), stateOf(6));
    await store.close();
  }));

test("save() that fails rejects, also what waits behind it, and the old state stays", () =>
  inStateFolder(async (folder) => {
    const slow = new SlowFiles();
    await folder.run(stateOf(1));
    const store = await folder.open();
    folder.files = slow.files;
    const failing = await (async () => {
      await store.close();
      const opening = folder.open();
      await slow.next();
      return await opening;
    })();
    const saves = [failing.save(stateOf(2))];
    await Promise.resolve();
    await Promise.resolve();
    saves.push(failing.save(stateOf(3)), failing.save(stateOf(4)));
    const settled = Promise.allSettled(saves);
    await slow.next(full);
    for (const result of await settled) {
      ok(result.status === "rejected" && (result.reason as NodePassError).code === "no_space");
    }
    deepEqual(await readState(folder.options), stateOf(1));
    const later = failing.save(stateOf(5));
    await slow.next();
    await later;
    await failing.close();
    deepEqual(await readState(folder.options), stateOf(5));
  }));

test("save() without sync writes counters alone, and they come back", () =>
  inStateFolder(async (folder) => {
    const counted = (value: number): MasterState =>
      stateOf(0, { instances: [instanceOf(0, value), instanceOf(1, value)] });
    const store = await folder.open();
    await store.save(counted(1));
    const before = await runtime.files.readText(folder.at("nodepass.json"));
    await store.save(counted(2), { sync: false });
    equal(await runtime.files.readText(folder.at("nodepass.json")), before);
    deepEqual(await readState(folder.options), counted(2));
    // A later state wins over counters that were written before: they may have been set to zero.
    await store.save(counted(0));
    deepEqual(await readState(folder.options), counted(0));
    await store.save(counted(5), { sync: false });
    await store.close();
    deepEqual(await folder.run(), counted(5));
    await writeFile(folder.at("nodepass.counters.json"), "{");
    deepEqual(await folder.run(), counted(0));
    match(folder.log.join(), /Counters of the last minute are lost/);
  }));

test("save() without sync writes everything where more than counters changed", () =>
  inStateFolder(async (folder) => {
    const store = await folder.open();
    await store.save(stateOf(2), { sync: false });
    await store.save(stateOf(2, { alias: "new" }), { sync: false });
    await store.save(stateOf(3, { alias: "new" }), { sync: false });
    const [first, ...rest] = stateOf(3).instances;
    ok(first !== undefined);
    const noted = stateOf(0, { instances: [{ ...first, meta: { ...first.meta, tags: { a: "b" } } }, ...rest] });
    await store.save(noted, { sync: false });
    await store.close();
    deepEqual(await folder.names(), ["nodepass.json"]);
    deepEqual(await folder.run(), noted);
  }));

test("close() waits for what is queued, afterwards save() refuses", () =>
  inStateFolder(async (folder) => {
    const store = await folder.open();
    const saving = store.save(stateOf(2));
    await store.close();
    await saving;
    await rejects(store.save(stateOf(3)), (error: NodePassError) => error.code === "closed");
    deepEqual(await folder.run(), stateOf(2));
  }));

test("The state is backed up every interval when it changed", () =>
  inStateFolder(async (folder) => {
    const clock = new FakeClock(0);
    folder.clock = clock;
    const store = await folder.open();
    clock.advance(3_600_000);
    await store.save(stateOf(1));
    equal(await runtime.files.exists(folder.at("nodepass.json.backup")), false);
    clock.advance(3_600_000);
    await store.save(stateOf(2));
    await store.close();
    ok(await runtime.files.exists(folder.at("nodepass.json.backup")));
    await runtime.files.remove(folder.at("nodepass.json"));
    ok([1, 2].includes((await folder.run())?.instances.length ?? 0));
  }));
