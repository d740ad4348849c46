/**
 * A folder for one test.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs `run` with the path of a new folder, which is gone afterwards. */
export async function withFolder(run: (path: string) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), "nodepass-core-"));
  try {
    await run(path);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}
