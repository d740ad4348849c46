/**
 * Files that are locked as long as this process lives: the system itself tells others, in every container.
 *
 * @module
 */
import type { KeptFiles } from "../node/file_lock.ts";

/** Advisory locks of whole files. */
export const denoKeptFiles: KeptFiles = {
  async make(path) {
    const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    try {
      await file.lock(true);
    } catch (error) {
      file.close();
      throw error;
    }
    return () => file.close();
  },
  async isKept(path) {
    let file: Deno.FsFile;
    try {
      file = await Deno.open(path, { read: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
    try {
      return !await file.tryLock(true);
    } finally {
      file.close();
    }
  },
};
