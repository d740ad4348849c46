/**
 * `nodepass state`: the state of a master, shown, saved and brought back.
 *
 * @module
 */
import { defaultSettings } from "../config/settings.ts";
import { NodePassError } from "../errors.ts";
import { createLogger } from "../log/logger.ts";
import type { Logger } from "../log/types.ts";
import { randomHex } from "../master/identifiers.ts";
import { openState, readState } from "../master/state_file/open.ts";
import { stateDirectory } from "../master/state_file/places.ts";
import { toGoState } from "../master/gob/go_state.ts";
import { exportState, importState, MAX_IMPORT_BYTES } from "../master/state_file/transfer.ts";
import type { MasterState } from "../master/state_file/types.ts";
import { type CommandContext, type ExitCode, print, printJson } from "./context.ts";
import { type Arguments, readArguments } from "./flags.ts";
import { loadSettings } from "./load.ts";
import { stateFlags, stateUsage } from "./state_flags.ts";

const PRIVATE_MODE = 0o600;

interface Call {
  readonly context: CommandContext;
  readonly given: Arguments;
  readonly directory: string;
  readonly logger: Logger;
}

/** `nodepass state key|export|import` */
export async function stateCommand(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const given = readArguments(args, "state", stateFlags);
  const [action, ...files] = given.positionals;
  const [file, ...rest] = action === "import" ? [...files, ...given.flags.get("from") ?? []] : files;
  const call = { context, given, directory: await directoryOf(given, context), logger: loggerOf(context) };
  if (action === "key" && file === undefined) return await key(call);
  if (action === "export" && file === undefined) return await exporting(call);
  if (action === "import" && file !== undefined && rest.length === 0) return await importing(call, file);
  throw new NodePassError("usage", `Cannot tell what to do with the state: expected ${stateUsage}`);
}

async function directoryOf({ flags }: Arguments, { runtime }: CommandContext): Promise<string> {
  const { settings, findings } = loadSettings((name) => runtime.process.env(name));
  if (findings.length > 0) throw new NodePassError("usage", findings.join("\n"));
  return await stateDirectory(runtime, { stateDir: flags.get("state-dir")?.at(-1) ?? settings.stateDir });
}

/** What is wrong with copies goes to standard error. */
function loggerOf({ runtime: { process, clock } }: CommandContext): Logger {
  return createLogger({
    level: "warn",
    format: "text",
    color: false,
    write: (line) => process.stderr(`${line}\n`),
    wall: () => clock.wall(),
  });
}

async function key(call: Call): Promise<ExitCode> {
  const { given: { flags }, context } = call;
  const apiKey = flags.has("rotate") ? await rotate(call) : (await existing(call)).apiKey;
  if (flags.has("json")) printJson(context, { key: apiKey });
  else print(context, apiKey);
  return 0;
}

async function rotate(call: Call): Promise<string> {
  // A master that was never started gets no state by this.
  await existing(call);
  return await changing(call, async (state, save) => {
    if (state === null) throw noState(call);
    const apiKey = randomHex(call.context.runtime.random, 32);
    await save({ ...state, apiKey });
    return apiKey;
  });
}

async function exporting(call: Call): Promise<ExitCode> {
  const { given: { flags }, context } = call;
  const format = flags.get("format")?.at(-1) ?? "json";
  if (format !== "json" && format !== "gob") {
    throw new NodePassError("usage", `Flag --format is ${JSON.stringify(format)}: expected json or gob`);
  }
  const { process } = context.runtime;
  const out = flags.get("out")?.at(-1);
  if (format === "gob" && out === undefined && process.stdoutIsTerminal) {
    throw new NodePassError("usage", "Cannot show a gob on a terminal: expected --out file");
  }
  const state = await existing(call);
  if (format === "json") {
    const text = await exportState(state);
    if (out === undefined) print(context, text);
    else await keep(new TextEncoder().encode(text), out, context);
    return 0;
  }
  const { bytes, notes } = toGoState(state);
  if (out === undefined) await process.writeOutput(bytes);
  else await keep(bytes, out, context);
  for (const note of notes) process.stderr(`nodepass: ${note}\n`);
  return 0;
}

async function keep(bytes: Uint8Array, path: string, { runtime: { files, process } }: CommandContext): Promise<void> {
  await files.writeAtomically(path, bytes, { mode: PRIVATE_MODE });
  process.stderr(`nodepass: wrote ${path}: it holds the API key and the keys of tunnels\n`);
}

async function importing(call: Call, file: string): Promise<ExitCode> {
  const { context, given: { flags } } = call;
  const { files, random } = context.runtime;
  const { state: imported, newKey, changes } = await importState(
    file,
    await files.readBytes(file, MAX_IMPORT_BYTES),
    random,
  );
  const count = await changing(call, async (state, save) => {
    const there = state?.instances.length ?? 0;
    if (there > 0 && !flags.has("replace")) {
      throw new NodePassError(
        "usage",
        `Cannot import ${file}: ${there} instances are there already, --replace removes them`,
      );
    }
    // Numbers of events never repeat.
    await save({ ...imported, run: Math.max(imported.run, state?.run ?? 0) });
    return imported.instances.length;
  });
  if (flags.has("json")) {
    printJson(context, { directory: call.directory, instances: count, newKey, changes });
    return 0;
  }
  print(context, `Imported ${count} instances into ${call.directory}`);
  for (const change of changes) print(context, `- ${change}`);
  return 0;
}

async function existing(call: Call): Promise<MasterState> {
  const { context: { runtime }, directory, logger } = call;
  const state = await readState({ runtime, directory, logger });
  if (state === null) throw noState(call);
  return state;
}

function noState({ directory }: Call): NodePassError {
  return new NodePassError("not_found", `Cannot find a state in ${directory}: no master was started there yet`);
}

/** Refused while a master runs: it would overwrite what it does not know of. */
async function changing<T>(
  { context: { runtime }, directory, logger }: Call,
  change: (state: MasterState | null, save: (state: MasterState) => Promise<void>) => Promise<T>,
): Promise<T> {
  const { reloadIntervalMs } = defaultSettings;
  const store = await openState({ runtime, directory, logger, reloadIntervalMs });
  try {
    return await change(store.initial, (state) => store.save(state));
  } finally {
    await store.close();
  }
}
