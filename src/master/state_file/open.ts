/**
 * The state of a master on disk.
 *
 * @module
 */
import { messageOf, NodePassError } from "../../errors.ts";
import type { Logger } from "../../log/types.ts";
import type { FileLock, Files, Runtime, Timer } from "../../runtime/types.ts";
import { lowerFirst, readCopies } from "./copies.ts";
import { newerCounters, sameButCounters, saveCounters } from "./counters.ts";
import { encodeState, type StateDocument } from "./document.ts";
import { BACKUP_FILE, LOCK_FILE, STATE_FILE } from "./places.ts";
import { recover, STATE_MODE } from "./recovery.ts";
import { SaveQueue } from "./save_queue.ts";
import type { MasterState, StateStore } from "./types.ts";

/** Options of {@linkcode openState}. */
export interface OpenStateOptions {
  readonly runtime: Pick<Runtime, "files" | "clock">;
  /** Folder of the state file, see `stateDirectory`; made when it is missing. */
  readonly directory: string;
  readonly logger: Logger;
  /** Time between two backups. */
  readonly reloadIntervalMs: number;
}

/** Only the owner looks inside. */
const DIRECTORY_MODE = 0o700;

/**
 * Takes the directory for this process and reads what is there.
 *
 * @throws {NodePassError} `locked`: another process has it; `corrupt`, `not_supported`, `permission_denied`: what is
 *   there cannot be used and was left as it is; whatever the disk says
 */
export async function openState(options: OpenStateOptions): Promise<StateStore> {
  const { runtime: { files }, directory } = options;
  await files.makeDirectory(directory, DIRECTORY_MODE);
  const lock = await take(files, directory);
  try {
    return new DiskState(options, lock, await recover(options));
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function take(files: Files, directory: string): Promise<FileLock> {
  try {
    return await files.lock(`${directory}/${LOCK_FILE}`);
  } catch (error) {
    if (!(error instanceof NodePassError) || error.code !== "locked") throw error;
    const holder = /process \d+/.exec(error.message)?.[0] ?? "another process";
    throw new NodePassError("locked", `Cannot use the state in ${directory}: ${holder} holds it`, { cause: error });
  }
}

/**
 * Reads the state and changes nothing, whoever has the directory. Null: there is none.
 *
 * @throws {NodePassError} as {@linkcode openState}, except `locked`
 */
export async function readState(
  options: Pick<OpenStateOptions, "runtime" | "directory" | "logger">,
): Promise<MasterState | null> {
  const { newest, bad } = await readCopies(options.runtime.files, options.directory);
  for (const { path, reason } of bad) {
    options.logger.warn("A copy of the state is damaged", { path, reason: lowerFirst(reason.message) });
  }
  return newest === null ? null : await newerCounters(options, newest.document);
}

class DiskState implements StateStore {
  readonly initial: MasterState | null;
  readonly #options: OpenStateOptions;
  readonly #lock: FileLock;
  readonly #queue: SaveQueue = new SaveQueue((state, sync) => this.#write(state, sync));
  readonly #backups: Timer;
  /** What the state file holds. */
  #saved: StateDocument | null;
  /** Revision of the last backup. */
  #backedUp = 0;
  #backup: Promise<void> = Promise.resolve();
  #closing: Promise<void> | null = null;

  constructor(options: OpenStateOptions, lock: FileLock, found: StateDocument | null) {
    this.#options = options;
    this.#lock = lock;
    this.#saved = found;
    this.initial = found?.state ?? null;
    this.#backups = options.runtime.clock.every(options.reloadIntervalMs, () => {
      this.#backup = this.#backup.then(() => this.#writeBackup());
    });
  }

  save(state: MasterState, { sync }: { readonly sync: boolean } = { sync: true }): Promise<void> {
    if (this.#closing !== null) return Promise.reject(new NodePassError("closed", "Cannot save the state: closed"));
    return this.#queue.save(state, sync);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#backups.cancel();
    await this.#queue.idle();
    await this.#backup;
    await this.#lock.release();
  }

  async #write(state: MasterState, sync: boolean): Promise<void> {
    const { runtime: { files }, directory } = this.#options;
    if (!this.#lock.held) {
      throw new NodePassError("locked", `Cannot save the state: another process took ${directory} over`);
    }
    const saved = this.#saved;
    if (!sync && saved !== null && sameButCounters(saved.state, state)) {
      await saveCounters(files, directory, { revision: saved.revision, state });
      return;
    }
    const document = { revision: (saved?.revision ?? 0) + 1, state };
    await files.writeAtomically(`${directory}/${STATE_FILE}`, await encodeState(document), { mode: STATE_MODE });
    this.#saved = document;
  }

  /** Never rejects. */
  async #writeBackup(): Promise<void> {
    const saved = this.#saved;
    if (saved === null || saved.revision === this.#backedUp || !this.#lock.held) return;
    const { runtime: { files }, directory, logger } = this.#options;
    try {
      await files.writeAtomically(`${directory}/${BACKUP_FILE}`, await encodeState(saved), { mode: STATE_MODE });
      this.#backedUp = saved.revision;
    } catch (error) {
      logger.warn("The state could not be backed up", { error: messageOf(error) });
    }
  }
}
