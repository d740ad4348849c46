/**
 * Arguments to exit code.
 *
 * @module
 */
import { suggest } from "../config/suggest.ts";
import { messageOf, NodePassError } from "../errors.ts";
import { escapeValue } from "../log/escape.ts";
import { commandNamed, commands } from "./commands.ts";
import { completionsCommand } from "./completions.ts";
import { type CommandContext, type ExitCode, print, printJson } from "./context.ts";
import { helpFlag, jsonFlag, noPositionals, readArguments } from "./flags.ts";
import { commandText, helpCommand, helpWidth, usageText } from "./help.ts";
import { keygenCommand } from "./keygen.ts";
import { permissionsCommand } from "./permissions.ts";
import { runFileCommand } from "./run.ts";
import { tunnelCommand, urlCommand } from "./tunnel.ts";
import { verifyCommand } from "./verify.ts";
import { version, versionLine } from "./version.ts";

type Handler = (args: readonly string[], context: CommandContext) => ExitCode | Promise<ExitCode>;

const handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["server", (args, context) => tunnelCommand("server", args, context)],
  ["client", (args, context) => tunnelCommand("client", args, context)],
  ["run", runFileCommand],
  ["verify", verifyCommand],
  ["keygen", keygenCommand],
  ["permissions", permissionsCommand],
  ["completions", completionsCommand],
  ["version", versionCommand],
  ["help", helpCommand],
]);

/** Runs the command that the arguments say; errors go to standard error. Never exits the process itself. */
export async function runCommand(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  try {
    return await dispatch(args, context);
  } catch (error) {
    const lines = messageOf(error).split("\n").map((line) => `nodepass: ${escapeValue(line)}\n`);
    context.runtime.process.stderr(lines.join(""));
    return error instanceof NodePassError && error.code === "usage" ? 2 : 1;
  }
}

function dispatch(args: readonly string[], context: CommandContext): ExitCode | Promise<ExitCode> {
  const [first, ...rest] = args;
  if (first === undefined) {
    print(context, `${versionLine}\n\n${usageText(helpWidth(context))}`);
    return 1;
  }
  if (["--help", "-h"].includes(first)) return helpCommand([], context);
  if (["--version", "-v", "-V"].includes(first)) return versionCommand([], context);
  const handler = handlers.get(first);
  const command = commandNamed(first);
  if (handler !== undefined && command !== null) {
    if (rest.includes("--help") || rest.includes("-h")) {
      print(context, commandText(command, helpWidth(context)));
      return 0;
    }
    return handler(rest, context);
  }
  if (args.some((arg) => arg.includes("://"))) return urlCommand(args, context);
  throw unknownCommand(first);
}

function unknownCommand(name: string): NodePassError {
  // Somebody may have typed a URL without its scheme: its key must not show.
  if (!/^[\w-]{1,40}$/.test(name)) {
    return new NodePassError(
      "usage",
      'Cannot tell what to do: expected a server:// or client:// URL, or a command, see "nodepass help"',
    );
  }
  const close = suggest(name, commands.map((command) => command.name));
  const hint = close === null ? 'see "nodepass help"' : `did you mean "${close}"?`;
  return new NodePassError("usage", `Command ${JSON.stringify(name)} does not exist: ${hint}`);
}

function versionCommand(args: readonly string[], context: CommandContext): ExitCode {
  const given = readArguments(args, "version", [jsonFlag, helpFlag]);
  noPositionals(given, "nodepass version [--json]");
  if (given.flags.has("json")) printJson(context, { version, runtime: context.runtime.name });
  else print(context, versionLine);
  return 0;
}
