/**
 * Files through `node:fs`, which both runtimes have.
 *
 * @module
 */
import { readFile, stat } from "node:fs/promises";
import { toNodePassError } from "../error_map.ts";
import type { Files } from "../types.ts";

/** Files of the machine. */
export const nodeFiles: Files = {
  async readText(path) {
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      throw toNodePassError(error, `Cannot read ${path}`);
    }
  },
  async modifiedAt(path) {
    try {
      return (await stat(path)).mtimeMs;
    } catch (error) {
      throw toNodePassError(error, `Cannot read the time of ${path}`);
    }
  },
};
