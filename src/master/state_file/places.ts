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

/** Folder of a Go master's state, beside its executable. */
const GOB_FOLDER = "gob";
/** Its state, and the copy that it makes every hour. */
const GOB_FILES: readonly string[] = ["nodepass.gob", "nodepass.gob.backup"];
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

async function besideExecutable(runtime: Pick<Runtime, "files" | "process">): Promise<string | null> {
  const folder = folderOfExecutable(runtime);
  return folder !== null && await runtime.files.exists(`${folder}/${GOB_FOLDER}`) ? folder : null;
}

function folderOfExecutable({ process }: Pick<Runtime, "process">): string | null {
  return process.standalone ? process.execPath.replace(/[\\/][^\\/]*$/, "") : null;
}

/**
 * The state files of a Go master, its own before its backup: beside a single executable, where that master had them, or
 * in the directory of the state or above it, where people put them. Those that may not be looked for are not there.
 *
 * @param directory see {@linkcode stateDirectory}
 */
export async function goStateFiles(
  runtime: Pick<Runtime, "files" | "process">,
  directory: string,
): Promise<readonly string[]> {
  const above = directory.endsWith(`/${STATE_FOLDER}`) ? directory.slice(0, -STATE_FOLDER.length - 1) : null;
  const folders = [folderOfExecutable(runtime), directory, above].filter((folder) => folder !== null);
  for (const folder of new Set(folders)) {
    const paths = GOB_FILES.map((name) => `${folder}/${GOB_FOLDER}/${name}`);
    const there = await Promise.all(paths.map((path) => isThere(runtime, path)));
    if (there.includes(true)) return paths.filter((_, index) => there[index]);
  }
  return [];
}

/** Whether a master has a state there: what a Go master left means nothing then. */
export async function hasState(runtime: Pick<Runtime, "files">, directory: string): Promise<boolean> {
  const copies = [STATE_FILE, PREVIOUS_FILE, BACKUP_FILE].map((name) => isThere(runtime, `${directory}/${name}`));
  return (await Promise.all(copies)).includes(true);
}

/** Where scripts of a Go master look for its key; null where it has left no folder. */
export async function goMirrorFile(runtime: Pick<Runtime, "files" | "process">): Promise<string | null> {
  const folder = await besideExecutable(runtime);
  return folder === null ? null : `${folder}/${GOB_FOLDER}/${GOB_FILES[0]}`;
}

async function isThere({ files }: Pick<Runtime, "files">, path: string): Promise<boolean> {
  try {
    return await files.exists(path);
  } catch (error) {
    if (error instanceof NodePassError && error.code === "permission_denied") return false;
    throw error;
  }
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
