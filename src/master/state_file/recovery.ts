/**
 * From what is on disk at a start to one good state file and its predecessor.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import type { Logger } from "../../log/types.ts";
import type { Runtime } from "../../runtime/types.ts";
import { type BadCopy, lowerFirst, readCopies } from "./copies.ts";
import { newerCounters } from "./counters.ts";
import type { StateDocument } from "./document.ts";
import { PREVIOUS_FILE, STATE_FILE } from "./places.ts";

/** Only the owner reads keys. */
export const STATE_MODE = 0o600;

/** Names that an interrupted save leaves behind. */
const LEFTOVER = /^\.nodepass\.(counters\.)?json.*\.tmp$/;

/** What a recovery needs. */
export interface RecoveryOptions {
  readonly runtime: Pick<Runtime, "files" | "clock">;
  readonly directory: string;
  readonly logger: Logger;
}

/**
 * Reads the state, sets bad copies aside, puts the good one in their place and keeps it as the previous generation.
 * The caller holds the lock. Null: there was nothing.
 *
 * @throws {NodePassError} as `readCopies`, or whatever the disk says; nothing was lost then
 */
export async function recover(options: RecoveryOptions): Promise<StateDocument | null> {
  const { runtime: { files }, directory, logger } = options;
  await sweep(options);
  const { newest, current, bad } = await readCopies(files, directory);
  if (newest === null) return null;
  for (const copy of bad) await setAside(copy, options);
  if (!current) {
    logger.warn("The state was restored from an older copy", { path: newest.path, revision: newest.document.revision });
    await files.writeAtomically(`${directory}/${STATE_FILE}`, newest.bytes, { mode: STATE_MODE });
  }
  try {
    await files.writeAtomically(`${directory}/${PREVIOUS_FILE}`, newest.bytes, { mode: STATE_MODE });
  } catch (error) {
    // The state itself is fine: a full disk must not keep tunnels from starting.
    logger.warn("The previous state could not be kept", { error: messageOf(error) });
  }
  const { revision } = newest.document;
  return { revision, state: await newerCounters(options, newest.document) };
}

async function setAside({ path, reason }: BadCopy, { runtime, logger }: RecoveryOptions): Promise<void> {
  const time = new Date(runtime.clock.wall()).toISOString().replace(/[-:]|\.\d+/g, "");
  let aside = `${path}.corrupt-${time}`;
  for (let number = 2; await runtime.files.exists(aside); number++) aside = `${path}.corrupt-${time}-${number}`;
  await runtime.files.rename(path, aside);
  logger.error("A copy of the state is damaged and was set aside", {
    path,
    aside,
    reason: lowerFirst(reason.message),
  });
}

async function sweep({ runtime: { files }, directory }: RecoveryOptions): Promise<void> {
  for (const name of await files.list(directory)) {
    if (LEFTOVER.test(name)) await files.remove(`${directory}/${name}`);
  }
}
