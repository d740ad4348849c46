/**
 * `nodepass permissions <url>|core`
 *
 * @module
 */
import { masterPermissions } from "../config/master_permissions.ts";
import { parseMasterUrl } from "../config/master_url.ts";
import { minimalPermissions, type Permissions } from "../config/permissions.ts";
import type { Settings } from "../config/types.ts";
import { splitUrl } from "../config/url_text.ts";
import { NodePassError } from "../errors.ts";
import { goStateFiles, hasState, stateDirectory } from "../master/state_file/places.ts";
import { type CommandContext, type ExitCode, print, printJson } from "./context.ts";
import { helpFlag, jsonFlag, onlyPositional, readArguments } from "./flags.ts";
import { loadSettings, loadTunnel } from "./load.ts";

/** `nodepass permissions <url>|core [--json]` */
export async function permissionsCommand(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const given = readArguments(args, "permissions", [jsonFlag, helpFlag]);
  const url = onlyPositional(given, "<url>", "nodepass permissions <url>|core");
  const permissions = url === "core" ? await permissionsOfCore(context) : await permissionsOfUrl(url, context);
  if (given.flags.has("json")) {
    printJson(context, permissions);
    return 0;
  }
  print(context, permissions.flags.join(" "));
  // Not on standard output, which goes straight into a command line.
  for (const note of permissions.notes) context.runtime.process.stderr(`nodepass: ${note}\n`);
  return 0;
}

/** Core is loaded only for those who ask for it. */
async function permissionsOfCore({ runtime: { process } }: CommandContext): Promise<Permissions> {
  const [{ corePermissions }, { readCoreSettings }] = await Promise.all([
    import("../core/permissions.ts"),
    import("../core/settings.ts"),
  ]);
  return corePermissions(readCoreSettings((name) => process.env(name)));
}

async function permissionsOfUrl(url: string, context: CommandContext): Promise<Permissions> {
  const { process } = context.runtime;
  const { settings, findings } = loadSettings((name) => process.env(name));
  if (findings.length > 0) throw new NodePassError("usage", findings.join("\n"));
  return splitUrl(url)?.scheme === "master"
    ? await permissionsOfMaster(url, settings, context)
    : await permissionsOfTunnel(url, settings, context);
}

async function permissionsOfTunnel(url: string, settings: Settings, context: CommandContext): Promise<Permissions> {
  const { value, findings } = await loadTunnel(url, null, settings, context.runtime.files);
  if (value === null) throw new NodePassError("usage", findings.join("\n"));
  return minimalPermissions(value.config, await context.workerModules?.() ?? null);
}

async function permissionsOfMaster(url: string, settings: Settings, { runtime }: CommandContext): Promise<Permissions> {
  const { config } = parseMasterUrl(url);
  const directory = await stateDirectory(runtime, settings);
  return masterPermissions(config, settings, {
    stateDirectory: directory,
    program: runtime.process.execPath,
    takenOver: await hasState(runtime, directory) ? [] : await goStateFiles(runtime, directory),
  });
}
