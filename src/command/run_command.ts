/**
 * Arguments to exit code.
 *
 * @module
 */
import { suggest } from "../config/suggest.ts";
import { messageOf, NodePassError } from "../errors.ts";
import { escapeValue } from "../log/escape.ts";
import { type CommandContext, type ExitCode, print, printJson } from "./context.ts";
import { helpFlag, jsonFlag, noPositionals, readArguments } from "./flags.ts";
import { version, versionLine } from "./version.ts";

type Handler = (args: readonly string[], context: CommandContext) => ExitCode | Promise<ExitCode>;

/** Each is loaded when it is called: no start waits for the help or for the TOML parser. */
const handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["server", async (...call) => await (await import("./tunnel.ts")).tunnelCommand("server", ...call)],
  ["client", async (...call) => await (await import("./tunnel.ts")).tunnelCommand("client", ...call)],
  ["master", async (...call) => await (await import("./master.ts")).masterCommand(...call)],
  ["core", async (...call) => await (await import("./core.ts")).coreCommand(...call)],
  ["engine", async (...call) => await (await import("./engine.ts")).engineCommand(...call)],
  ["run", async (...call) => await (await import("./run.ts")).runFileCommand(...call)],
  ["verify", async (...call) => await (await import("./verify.ts")).verifyCommand(...call)],
  ["keygen", async (...call) => (await import("./keygen.ts")).keygenCommand(...call)],
  ["state", async (...call) => await (await import("./state.ts")).stateCommand(...call)],
  ["status", async (...call) => await (await import("./status.ts")).statusCommand(...call)],
  ["doctor", async (...call) => await (await import("./doctor.ts")).doctorCommand(...call)],
  ["permissions", async (...call) => await (await import("./permissions.ts")).permissionsCommand(...call)],
  ["completions", async (...call) => (await import("./completions.ts")).completionsCommand(...call)],
  ["version", versionCommand],
  ["help", async (...call) => (await import("./help.ts")).helpCommand(...call)],
]);

/** Not for people: the help does not know them. */
const HIDDEN: readonly string[] = ["engine"];

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

async function dispatch(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const [first, ...rest] = args;
  if (first === undefined) return (await import("./help.ts")).usageCommand(context);
  if (["--help", "-h"].includes(first)) return (await import("./help.ts")).helpCommand([], context);
  if (["--version", "-v", "-V"].includes(first)) return versionCommand([], context);
  const handler = handlers.get(first);
  if (handler !== undefined) {
    const help = !HIDDEN.includes(first) && (rest.includes("--help") || rest.includes("-h"));
    return help ? (await import("./help.ts")).helpCommand([first], context) : await handler(rest, context);
  }
  if (args.some((arg) => arg.includes("://"))) return await (await import("./tunnel.ts")).urlCommand(args, context);
  throw unknownCommand(first);
}

function unknownCommand(name: string): NodePassError {
  // Somebody may have typed a URL without its scheme: its key must not show.
  if (!/^[\w-]{1,40}$/.test(name)) {
    return new NodePassError(
      "usage",
      'Cannot tell what to do: expected a server://, client:// or master:// URL, or a command, see "nodepass help"',
    );
  }
  const close = suggest(name, [...handlers.keys()].filter((known) => !HIDDEN.includes(known)));
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
