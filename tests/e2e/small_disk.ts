/** A disk that is full at will. */
import { readdir, rm, writeFile } from "node:fs/promises";
import { ok } from "../harness.ts";
import { inStateFolder, runtime, type StateFolder } from "../unit/master/state_file_fixture.ts";

async function succeeds(command: string, ...args: string[]): Promise<boolean> {
  return (await runtime.processes.spawn({ command, args, env: {} }).exited).code === 0;
}

/** A file system of its own that holds this much. */
export async function onSmallDisk(kibibytes: number, run: (folder: StateFolder) => Promise<void>): Promise<void> {
  await inStateFolder(async (folder) => {
    ok(await succeeds("mount", "-t", "tmpfs", "-o", `size=${kibibytes}k`, "tmpfs", folder.path));
    try {
      await run(folder);
    } finally {
      await succeeds("umount", folder.path);
    }
  });
}

/** Why there can be none here; undefined when there can. */
export async function mountMissing(): Promise<string | undefined> {
  let missing: string | undefined;
  await inStateFolder(async ({ path }) => {
    if (await succeeds("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", path)) await succeeds("umount", path);
    else missing = "needs the right to mount";
  });
  return missing;
}

/** Takes all room that is left. */
export async function fill(folder: StateFolder): Promise<void> {
  for (let bytes = 65_536; bytes >= 1; bytes = Math.floor(bytes / 2)) {
    const path = folder.at(`filler.${bytes}`);
    await writeFile(path, new Uint8Array(bytes)).catch(() => rm(path));
  }
}

/** Gives it back. */
export async function empty(folder: StateFolder): Promise<void> {
  for (const name of await readdir(folder.path)) if (name.startsWith("filler.")) await rm(folder.at(name));
}
