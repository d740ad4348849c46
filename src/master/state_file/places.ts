/**
 * Where the state of a master is.
 *
 * @module
 */
import type { Settings } from "../../config/types.ts";
import { NodePassError } from "../../errors.ts";
import type { Runtime } from "../../runtime/types.ts";

/** The current state. */
export const STATE_FILE = "nodepass.json";
/** Counters since that state, see {@linkcode STATE_FILE}. */
export const COUNTERS_FILE = "nodepass.counters.json";
/** What was there at the last start. */
export const PREVIOUS_FILE: string = `${STATE_FILE}.1`;
/** Written every now and then. */
export const BACKUP_FILE: string = `${STATE_FILE}.backup`;
/** Held by the running master. */
export const LOCK_FILE = "nodepass.lock";

/** Folder of an older master beside its executable. */
const GOB_FOLDER = "gob";
/** Below the directory that people choose. */
const STATE_FOLDER = "state";

/**
 * The folder of the state file: `state` under `NP_STATE_DIR`, else beside a single executable that has a `gob` folder,
 * else under `$XDG_STATE_HOME/nodepass` or what stands for it.
 *
 * @throws {NodePassError} code `usage` where the environment names no home
 */
export async function stateDirectory(
  runtime: Pick<Runtime, "files" | "process">,
  { stateDir }: Pick<Settings, "stateDir">,
): Promise<string> {
  return `${stateDir ?? await besideExecutable(runtime) ?? usual(runtime.process)}/${STATE_FOLDER}`;
}

async function besideExecutable({ files, process }: Pick<Runtime, "files" | "process">): Promise<string | null> {
  if (!process.standalone) return null;
  const folder = process.execPath.replace(/[\\/][^\\/]*$/, "");
  return await files.exists(`${folder}/${GOB_FOLDER}`) ? folder : null;
}

function usual({ env }: Runtime["process"]): string {
  const state = env("XDG_STATE_HOME") ?? "";
  // A relative path there means nothing.
  if (state.startsWith("/")) return `${state}/nodepass`;
  const home = env("HOME") ?? "";
  if (home !== "") return `${home}/.local/state/nodepass`;
  const appData = env("LOCALAPPDATA") ?? "";
  if (appData !== "") return `${appData}/nodepass`;
  throw new NodePassError("usage", "Cannot choose a folder for the state: set NP_STATE_DIR");
}
