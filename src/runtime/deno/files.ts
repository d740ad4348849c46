/**
 * Files on Deno. What only a master needs comes from `node:fs`, loaded when it is first needed.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import { toNodePassError } from "../error_map.ts";
import type { Files } from "../types.ts";

/** Files of the machine. */
export const denoFiles: Files = {
  async readText(path) {
    try {
      return await Deno.readTextFile(path);
    } catch (error) {
      throw toNodePassError(error, `Cannot read ${path}`);
    }
  },
  async modifiedAt(path) {
    try {
      return (await Deno.stat(path)).mtime?.getTime() ?? 0;
    } catch (error) {
      throw toNodePassError(error, `Cannot read the time of ${path}`);
    }
  },
  readBytes: async (path, limit) => await (await nodeFiles()).readBytes(path, limit),
  writeAtomically: async (path, bytes, options) => await (await nodeFiles()).writeAtomically(path, bytes, options),
  rename: async (from, to) => await (await nodeFiles()).rename(from, to),
  remove: async (path) => await (await nodeFiles()).remove(path),
  makeDirectory: async (path, mode) => await (await nodeFiles()).makeDirectory(path, mode),
  list: async (path) => await (await nodeFiles()).list(path),
  async exists(path) {
    // Nobody is asked at the terminal for a look.
    const { state } = await Deno.permissions.query({ name: "read", path });
    if (state === "prompt") throw new NodePassError("permission_denied", `Cannot look for ${path}: permission denied`);
    try {
      // `node:fs` would ask for the number of the user, which is a permission of its own.
      await Deno.stat(path);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
      throw toNodePassError(error, `Cannot look for ${path}`);
    }
  },
  async lock(path) {
    const [{ lockPath }, { denoKeptFiles }] = await Promise.all([
      import("../node/file_lock.ts"),
      import("./kept_files.ts"),
    ]);
    try {
      return await lockPath(path, denoKeptFiles);
    } catch (error) {
      throw toNodePassError(error, `Cannot lock ${path}`);
    }
  },
};

async function nodeFiles(): Promise<Files> {
  return (await import("../node/files.ts")).nodeFiles;
}
