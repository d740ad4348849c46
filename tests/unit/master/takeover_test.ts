/** The first start of a master where a Go master was before. */
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { NodePassError } from "../../../src/errors.ts";
import { createLogger } from "../../../src/log/logger.ts";
import { goMirrorFile, goStateFiles } from "../../../src/master/state_file/places.ts";
import { mirrored } from "../../../src/master/state_file/go_mirror.ts";
import { type Takeover, takeOver } from "../../../src/master/state_file/takeover.ts";
import type { Runtime } from "../../../src/runtime/types.ts";
import { deepEqual, equal, match, rejects, test } from "../../harness.ts";
import { goInstances } from "./gob/fixtures.ts";
import { inStateFolder, runtime, stateOf } from "./state_file_fixture.ts";

const RECORDED = new URL("../../fixtures/gob/state-1.14.gob", import.meta.url);

/** What a start in `home` takes over, and what it logs; `executable` is the one file that carries everything. */
async function taken(
  home: string,
  executable: string | null = null,
  files: Runtime["files"] = runtime.files,
): Promise<{ readonly takeover: Takeover | null; readonly log: readonly string[] }> {
  const log: string[] = [];
  const write = (line: string): void => void log.push(line);
  const logger = createLogger({ level: "info", format: "text", color: false, write, wall: () => 0 });
  const process = { ...runtime.process, execPath: executable ?? "/usr/bin/node", standalone: executable !== null };
  const options = { runtime: { ...runtime, files, process }, directory: `${home}/state`, logger };
  return { takeover: await takeOver(options), log };
}

async function put(path: string, bytes?: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await (bytes === undefined ? copyFile(RECORDED, path) : writeFile(path, bytes));
}

test("takeOver() finds a Go master beside the executable and in the folder of the state", () =>
  inStateFolder(async ({ path }) => {
    equal((await taken(path)).takeover, null);
    for (const folder of [path, `${path}/state`, `${path}/bin`]) {
      await put(`${folder}/gob/nodepass.gob`);
      const { takeover, log } = await taken(path, `${path}/bin/nodepass`);
      deepEqual([takeover?.path, takeover?.newKey, log], [`${folder}/gob/nodepass.gob`, false, []]);
      deepEqual(takeover?.state.instances.map(({ id }) => id), ["4330cbd7", "ac881219"]);
    }
    equal((await taken(path)).takeover?.path, `${path}/state/gob/nodepass.gob`, "beside a runtime is nothing of ours");
  }));

test("takeOver() takes the backup where the state is missing or damaged", () =>
  inStateFolder(async ({ path }) => {
    const [state, backup] = [`${path}/gob/nodepass.gob`, `${path}/gob/nodepass.gob.backup`];
    await put(backup);
    deepEqual([(await taken(path)).takeover?.path, (await taken(path)).log], [backup, []]);
    await put(state, (await readFile(RECORDED)).subarray(0, 500));
    const { takeover, log } = await taken(path);
    equal(takeover?.path, backup);
    match(log.join("\n"), /^\S+ .*A copy of a Go master's state is damaged.*nodepass\.gob: byte 428: the message has/);
  }));

test("takeOver() refuses to begin anew where no copy is valid, and touches none", () =>
  inStateFolder(async ({ path }) => {
    await put(`${path}/gob/nodepass.gob`, new Uint8Array());
    await put(`${path}/gob/nodepass.gob.backup`, new Uint8Array([0x0f, 0xff]));
    await rejects(taken(path), (error: NodePassError) => {
      equal(error.code, "corrupt");
      match(error.message, /^Cannot take over the state of a Go master: no copy is valid\n/);
      match(error.message, /nodepass\.gob: it is empty\n.*nodepass\.gob\.backup: byte 0: the message has 15 bytes/);
      match(error.message, /move these files away to begin anew$/);
      return true;
    });
    deepEqual((await readdir(`${path}/gob`)).sort(), ["nodepass.gob", "nodepass.gob.backup"]);
  }));

test("takeOver() leaves alone what it may not look for or read", () =>
  inStateFolder(async ({ path }) => {
    await put(`${path}/gob/nodepass.gob`);
    const refuse = (): Promise<never> =>
      Promise.reject(new NodePassError("permission_denied", "Cannot read: permission denied"));
    const blind = await taken(path, null, { ...runtime.files, exists: refuse });
    deepEqual([blind.takeover, blind.log], [null, []]);
    const locked = await taken(path, null, { ...runtime.files, readBytes: refuse });
    equal(locked.takeover, null);
    match(locked.log.join("\n"), /The state of a Go master is left alone.*permission denied/);
    deepEqual(
      await goStateFiles({ ...runtime, files: { ...runtime.files, exists: refuse } }, path),
      [],
    );
  }));

test("mirrored() keeps the key where scripts of a Go master look for it", () =>
  inStateFolder(async ({ path }) => {
    const process = { ...runtime.process, execPath: `${path}/nodepass`, standalone: true };
    equal(await goMirrorFile({ files: runtime.files, process }), null);
    await put(`${path}/gob/nodepass.gob`);
    const file = await goMirrorFile({ files: runtime.files, process }) ?? "";
    equal(file, `${path}/gob/nodepass.gob`);

    const written: string[] = [];
    const files = {
      ...runtime.files,
      writeAtomically: (...call: Parameters<Runtime["files"]["writeAtomically"]>) => {
        written.push(call[0]);
        return runtime.files.writeAtomically(...call);
      },
    };
    const logger = createLogger({ level: "info", format: "text", color: false, write: () => {}, wall: () => 0 });
    const store = { initial: null, save: () => Promise.resolve(), close: () => Promise.resolve() };
    const mirror = mirrored(store, { files, path: file, keep: true, logger });
    const key = async (): Promise<string | undefined> =>
      new Map(goInstances(new Uint8Array(await readFile(file)))).get("********")?.URL;
    for (
      const state of [
        stateOf(1),
        stateOf(2),
        stateOf(2, { apiKey: "f".repeat(32) }),
        stateOf(3, { apiKey: "f".repeat(32) }),
      ]
    ) {
      await mirror.save(state);
      equal(await key(), state.apiKey);
    }
    equal(written.length, 2, "at the start and when the key changes");
    deepEqual(await readFile(`${file}.before`), await readFile(RECORDED));
  }));
