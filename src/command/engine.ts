/**
 * `nodepass engine`: what a master starts to run its instances in. Not for people.
 *
 * @module
 */
import { readSettings } from "../config/settings.ts";
import { serveEngine } from "../engine/serve.ts";
import type { CommandContext, ExitCode } from "./context.ts";
import { helpFlag, noPositionals, readArguments } from "./flags.ts";

/** `nodepass engine` */
export async function engineCommand(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  noPositionals(readArguments(args, "engine", [helpFlag]), "nodepass engine");
  const { runtime, startTunnel } = context;
  const settings = readSettings((name) => runtime.process.env(name));
  // A terminal and a service manager tell every process of the group: the owner decides when it is over, by ending the
  // standard input.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) runtime.process.onSignal(name, () => {});
  await serveEngine({ runtime, settings, startTunnel });
  return 0;
}
