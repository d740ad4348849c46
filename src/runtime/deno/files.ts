/**
 * Files on Deno.
 *
 * @module
 */
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
};
