/**
 * Replaces a file in one step.
 *
 * @module
 */
import { chmod, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { randomName } from "./random_name.ts";

/** Ending of the files that are not in place yet: what a killed program leaves behind is found by it. */
const TEMPORARY = ".tmp";

/** Writes a new file beside `path`, then gives it that name; `sync` waits for the disk after both steps. */
export async function replaceFile(path: string, bytes: Uint8Array, mode: number, sync: boolean): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomName()}${TEMPORARY}`);
  try {
    await writeWhole(temporary, bytes, mode, sync);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  if (sync) await syncFolder(folder);
}

async function writeWhole(path: string, bytes: Uint8Array, mode: number, sync: boolean): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    for (let start = 0; start < bytes.length;) {
      start += (await file.write(bytes, start, bytes.length - start, null)).bytesWritten;
    }
    // The umask may have taken bits away.
    await chmod(path, mode);
    if (sync) await file.sync();
  } finally {
    await file.close();
  }
}

/** The new name itself is on the disk once the folder is. */
async function syncFolder(path: string): Promise<void> {
  let folder;
  try {
    folder = await open(path, "r");
  } catch (error) {
    // Windows opens no folders; its rename is durable by itself.
    if ((error as { code?: unknown }).code === "EISDIR" || (error as { code?: unknown }).code === "EPERM") return;
    throw error;
  }
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
