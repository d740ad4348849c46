import { readdir, rm, writeFile } from "node:fs/promises";
import { readState } from "../../src/master/state_file/open.ts";
import type { NodePassError } from "../../src/errors.ts";
import { deepEqual, match, ok, rejects, test } from "../harness.ts";
import { inStateFolder, runtime, type StateFolder, stateOf } from "../unit/master/state_file_fixture.ts";

async function succeeds(command: string, ...args: string[]): Promise<boolean> {
  return (await runtime.processes.spawn({ command, args, env: {} }).exited).code === 0;
}

/** A file system of its own that holds this much. */
async function onSmallDisk(kibibytes: number, run: (folder: StateFolder) => Promise<void>): Promise<void> {
  await inStateFolder(async (folder) => {
    ok(await succeeds("mount", "-t", "tmpfs", "-o", `size=${kibibytes}k`, "tmpfs", folder.path));
    try {
      await run(folder);
    } finally {
      await succeeds("umount", folder.path);
    }
  });
}

async function mountMissing(): Promise<string | undefined> {
  let missing: string | undefined;
  await inStateFolder(async ({ path }) => {
    if (await succeeds("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", path)) await succeeds("umount", path);
    else missing = "needs the right to mount";
  });
  return missing;
}

/** Takes all room that is left. */
async function fill(folder: StateFolder): Promise<void> {
  for (let bytes = 65_536; bytes >= 1; bytes = Math.floor(bytes / 2)) {
    const path = folder.at(`filler.${bytes}`);
    await writeFile(path, new Uint8Array(bytes)).catch(() => rm(path));
  }
}

async function empty(folder: StateFolder): Promise<void> {
  for (const name of await readdir(folder.path)) if (name.startsWith("filler.")) await rm(folder.at(name));
}

const skip = await mountMissing();

test(
  "A full disk fails a save and leaves the old state, which goes on once there is room",
  () =>
    onSmallDisk(64, async (folder) => {
      const store = await folder.open();
      await store.save(stateOf(2));
      await fill(folder);
      const noRoom = (error: NodePassError): boolean =>
        error.code === "no_space" && /no space left/.test(error.message);
      for (const sync of [true, false]) await rejects(store.save(stateOf(40), { sync }), noRoom);
      deepEqual(await readState(folder.options), stateOf(2));
      deepEqual((await folder.names()).filter((name) => name.endsWith(".tmp")), []);
      await empty(folder);
      await store.save(stateOf(3));
      await store.close();
      deepEqual(await folder.run(), stateOf(3));
    }),
  { skip },
);

test("A state opens on a full disk, and says that it keeps no copy", () =>
  onSmallDisk(64, async (folder) => {
    await folder.run(stateOf(40));
    await fill(folder);
    deepEqual(await folder.run(), stateOf(40));
    match(folder.log.join(), /The previous state could not be kept/);
    // A copy that is good does not make up for room: nothing is lost meanwhile.
    await empty(folder);
    await folder.run();
    await writeFile(folder.at("nodepass.json"), "{");
    await fill(folder);
    await rejects(folder.open(), (error: NodePassError) => error.code === "no_space");
    await empty(folder);
    deepEqual(await folder.run(), stateOf(40));
  }), { skip });
