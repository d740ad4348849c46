/**
 * `nodepass help [topic]`, and the usage that everybody sees first.
 *
 * @module
 */
import { suggest } from "../config/suggest.ts";
import { NodePassError } from "../errors.ts";
import { commandNamed, commands, type CommandSummary } from "./commands.ts";
import { type CommandContext, type ExitCode, print, printJson } from "./context.ts";
import { type Flag, helpFlag, jsonFlag, readArguments } from "./flags.ts";
import { topicNamed, topics } from "./help_topics.ts";
import { table } from "./table.ts";
import { versionLine } from "./version.ts";

function firstPage(width: number): string {
  return `${versionLine}

TCP and UDP tunnels, each said in one URL.

Examples

  KEY=$(nodepass keygen)
  nodepass "server://$KEY@0.0.0.0:10101/0.0.0.0:8080"             visitors arrive here, at port 8080
  nodepass "client://$KEY@server.example.com:10101/127.0.0.1:80"  and reach the service beside this client
  nodepass "client://127.0.0.1:1080/example.com:80?mode=1"        a relay with no server
  nodepass "master://127.0.0.1:8080"                              tunnels made in a browser: an API and a dashboard

Usage

  nodepass "<url>" [flags]
  nodepass <command> [arguments]

Commands

${table(commands.map(({ name, summary }) => [name, summary]), width)}

Topics (nodepass help <topic>)

${table(topics.map(({ name, summary }) => [name, summary]), width)}
`;
}

/** Help on one command. */
function commandText(command: CommandSummary, width: number): string {
  const examples = command.examples.map((example) => `  ${example}`).join("\n");
  return `${command.summary}

Examples

${examples}

Usage

  ${command.usage}

Flags

${table(command.flags.map((flag) => [flagText(flag), flag.meaning]), width)}
`;
}

function flagText({ name, short, placeholder }: Flag): string {
  return `${short === undefined ? "" : `-${short}, `}--${name}${placeholder === null ? "" : ` ${placeholder}`}`;
}

/** `nodepass` alone: the first page, and the exit code of something that was not done. */
export function usageCommand(context: CommandContext): ExitCode {
  print(context, firstPage(helpWidth(context)));
  return 1;
}

/** Columns to write for. */
function helpWidth({ runtime }: CommandContext): number {
  return Math.min(120, Math.max(60, runtime.process.columns));
}

/** `nodepass help [topic]` */
export function helpCommand(args: readonly string[], context: CommandContext): ExitCode {
  const { positionals, flags } = readArguments(args, "help", [jsonFlag, helpFlag]);
  const [name] = positionals;
  const width = helpWidth(context);
  const text = name === undefined ? firstPage(width) : textOf(name, width);
  if (flags.has("json")) printJson(context, { topic: name ?? null, text });
  else print(context, text);
  return 0;
}

function textOf(name: string, width: number): string {
  const command = commandNamed(name);
  if (command !== null) return commandText(command, width);
  const topic = topicNamed(name);
  if (topic !== null) return topic.text(width);
  const names = [...commands, ...topics].map((known) => known.name);
  const close = suggest(name, names);
  const hint = close === null ? `expected one of ${names.join(", ")}` : `did you mean "${close}"?`;
  throw new NodePassError("usage", `Help topic ${JSON.stringify(name)} does not exist: ${hint}`);
}
