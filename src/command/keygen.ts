/**
 * `nodepass keygen`
 *
 * @module
 */
import { formatGeneratedKey } from "../generated_key.ts";
import { type CommandContext, type ExitCode, print, printJson } from "./context.ts";
import { helpFlag, jsonFlag, noPositionals, readArguments } from "./flags.ts";

/** `nodepass keygen [--json]` */
export function keygenCommand(args: readonly string[], context: CommandContext): ExitCode {
  const given = readArguments(args, "keygen", [jsonFlag, helpFlag]);
  noPositionals(given, "nodepass keygen [--json]");
  const key = formatGeneratedKey(context.runtime.random.bytes(32));
  if (given.flags.has("json")) printJson(context, { key });
  else print(context, key);
  return 0;
}
