/**
 * `nodepass permissions <url>`
 *
 * @module
 */
import { minimalPermissions } from "../config/permissions.ts";
import { NodePassError } from "../errors.ts";
import { type CommandContext, type ExitCode, print, printJson } from "./context.ts";
import { helpFlag, jsonFlag, onlyPositional, readArguments } from "./flags.ts";
import { loadSettings, loadTunnel } from "./load.ts";

/** `nodepass permissions <url> [--json]` */
export async function permissionsCommand(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const given = readArguments(args, "permissions", [jsonFlag, helpFlag]);
  const url = onlyPositional(given, "<url>", "nodepass permissions <url>");
  const { process, files } = context.runtime;
  const { settings, findings } = loadSettings((name) => process.env(name));
  const loaded = await loadTunnel(url, null, settings, files);
  const all = [...findings, ...loaded.findings];
  if (all.length > 0 || loaded.value === null) throw new NodePassError("usage", all.join("\n"));
  const permissions = minimalPermissions(loaded.value.config, await context.workerModules?.() ?? null);
  if (given.flags.has("json")) {
    printJson(context, permissions);
    return 0;
  }
  print(context, permissions.flags.join(" "));
  // Not on standard output, which goes straight into a command line.
  for (const note of permissions.notes) process.stderr(`nodepass: ${note}\n`);
  return 0;
}
