/**
 * Files through `node:fs`, which both runtimes have.
 *
 * @module
 */
import { access, constants, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { joinBytes } from "../../bytes/join.ts";
import { NodePassError } from "../../errors.ts";
import { toNodePassError } from "../error_map.ts";
import type { Files } from "../types.ts";
import { replaceFile } from "./atomic_write.ts";
import { lockPath } from "./file_lock.ts";

/** Files of the machine. */
export const nodeFiles: Files = {
  readText: (path) => trying(`Cannot read ${path}`, () => readFile(path, "utf8")),
  modifiedAt: (path) => trying(`Cannot read the time of ${path}`, async () => (await stat(path)).mtimeMs),
  readBytes: (path, limit) => trying(`Cannot read ${path}`, () => readBounded(path, limit)),
  writeAtomically: (path, bytes, options) =>
    trying(`Cannot write ${path}`, () => replaceFile(path, bytes, options.mode, options.sync ?? true)),
  rename: (from, to) => trying(`Cannot rename ${from} to ${to}`, () => rename(from, to)),
  remove: (path) => trying(`Cannot remove ${path}`, () => rm(path, { force: true })),
  makeDirectory: (path, mode) =>
    trying(`Cannot make folder ${path}`, async () => void await mkdir(path, { recursive: true, mode })),
  list: (path) => trying(`Cannot list ${path}`, async () => (await readdir(path)).sort()),
  exists: (path) => trying(`Cannot look for ${path}`, () => isThere(path)),
  lock: (path) => trying(`Cannot lock ${path}`, () => lockPath(path)),
};

async function trying<T>(action: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toNodePassError(error, action);
  }
}

async function readBounded(path: string, limit: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    // A size says nothing about a pipe or a file that grows: what counts is what is read.
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES, null);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > limit) throw new NodePassError("limit", `Cannot read ${path}: it has more than ${limit} bytes`);
      chunks.push(buffer.subarray(0, bytesRead));
    }
    return joinBytes(chunks, length);
  } finally {
    await file.close();
  }
}

const CHUNK_BYTES = 64 * 1024;

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path, constants.F_OK);
    return true;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}
