/**
 * `nodepass core`: the control plane of a fleet, until a signal says stop; and tokens for who administers it.
 *
 * @module
 */
import { parseLifetime } from "../config/duration.ts";
import { type Scope, SCOPES } from "../core/contract/types.ts";
import { type CoreSettings, readCoreSettings } from "../core/settings.ts";
import { NodePassError } from "../errors.ts";
import { createLogger } from "../log/logger.ts";
import type { Logger, LogLevel } from "../log/types.ts";
import type { CoreHandle } from "../start/core.ts";
import { type CommandContext, type ExitCode, print, printJson } from "./context.ts";
import { coreFlags, coreUsage, logLevelFlag } from "./core_flags.ts";
import { type Arguments, readArguments } from "./flags.ts";
import { logFormat } from "./tunnel.ts";

/** `nodepass core [run] | demo | token create` */
export async function coreCommand(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const given = readArguments(args, "core", coreFlags);
  const words = given.positionals.join(" ");
  const settings = readCoreSettings((name) => context.runtime.process.env(name));
  if (words === "" || words === "run" || words === "demo") return await serve(given, settings, context);
  if (words === "token create") return await createToken(given, settings, context);
  throw new NodePassError("usage", `Cannot tell what to do with Core: expected ${coreUsage}`);
}

async function serve(given: Arguments, settings: CoreSettings, context: CommandContext): Promise<ExitCode> {
  const { runtime } = context;
  const { process } = runtime;
  const logger = loggerOf(given, context);
  const stopping = Promise.withResolvers<void>();
  const abandoned = Promise.withResolvers<ExitCode>();
  let signals = 0;
  const onStop = (): void => {
    if (signals++ > 0) abandoned.resolve(1);
    stopping.resolve();
  };
  let core: CoreHandle | null = null;
  const undo = [
    process.onSignal("SIGINT", onStop),
    process.onSignal("SIGTERM", onStop),
    process.onSignal("SIGHUP", () => void core?.reload()),
  ];
  const run = async (): Promise<ExitCode> => {
    const { startCore } = await import("../start/core.ts");
    core = await startCore({ settings, runtime, logger });
    process.setTitle(`nodepass core ${core.httpUrl}`);
    if (given.positionals[0] === "demo") await demonstrate(core, context);
    else greet(core, settings, context);
    await stopping.promise;
    logger.info("Stopping: calls under way may end, no new ones are taken");
    await core.close();
    return 0;
  };
  try {
    return await Promise.race([run(), abandoned.promise]);
  } finally {
    for (const remove of undo) remove();
  }
}

/** Fills it with the example; one that cannot be filled does not stay. */
async function demonstrate(core: CoreHandle, context: CommandContext): Promise<void> {
  const { fillDemo } = await import("../core/demo.ts");
  try {
    print(context, (await fillDemo(core)).join("\n"));
  } catch (error) {
    await core.close();
    throw error;
  }
}

/** Tokens of a first start are shown once: nothing else knows them. */
function greet(core: CoreHandle, settings: CoreSettings, context: CommandContext): void {
  const lines = [
    ...core.adminToken === null ? [] : [`Admin token   ${core.adminToken}`],
    ...core.joinToken === null ? [] : [`Join token    ${core.joinToken}`],
  ];
  if (lines.length === 0) return;
  print(
    context,
    `
HTTP          ${core.httpUrl}
gRPC          ${core.grpc.host}:${core.grpc.port}${settings.tls === null ? " (plaintext)" : ""}
${lines.join("\n")}

Shown this once. "nodepass core token create" makes more admin tokens.
`,
  );
}

async function createToken(given: Arguments, settings: CoreSettings, context: CommandContext): Promise<ExitCode> {
  const { runtime } = context;
  const { flags } = given;
  const scopes = scopesOf(flags.get("scopes")?.at(-1) ?? "admin");
  const lifetime = flags.get("expires")?.at(-1);
  const lifetimeMs = lifetime === undefined ? null : parseLifetime(lifetime);
  if (lifetime !== undefined && (lifetimeMs === null || lifetimeMs <= 0)) {
    throw new NodePassError(
      "usage",
      `Flag --expires is ${JSON.stringify(lifetime)}: expected a duration such as "30d" or "12h", at most 36500d`,
    );
  }
  const expiresAt = lifetimeMs === null ? null : Math.floor(runtime.clock.wall() + lifetimeMs);
  const { makeAdminToken } = await import("../core/make_token.ts");
  const logger = loggerOf({ ...given, flags: new Map([["log", ["warn"]], ...flags]) }, context, "stderr");
  const name = flags.get("name")?.at(-1) ?? "command line";
  const { id, token } = await makeAdminToken({ runtime, logger, settings }, { name, scopes, expiresAt });
  if (flags.has("json")) printJson(context, { id, token, scopes, expiresAt });
  else print(context, token);
  return 0;
}

function scopesOf(text: string): Scope[] {
  const names = text.split(",").map((name) => name.trim());
  const scopes = SCOPES.filter((scope) => names.includes(scope));
  const unknown = names.find((name) => !SCOPES.some((scope) => scope === name));
  if (unknown === undefined && scopes.length > 0) return scopes;
  throw new NodePassError(
    "usage",
    `Flag --scopes is ${JSON.stringify(text)}: expected a list of ${SCOPES.join(", ")} with commas between`,
  );
}

function loggerOf(
  given: Arguments,
  { runtime: { process, clock } }: CommandContext,
  stream: "stdout" | "stderr" = "stdout",
): Logger {
  const format = logFormat(given);
  return createLogger({
    level: logLevel(given),
    format,
    color: stream === "stdout" && format === "text" && process.stdoutIsTerminal &&
      (process.env("NO_COLOR") ?? "") === "",
    write: (line) => process[stream](`${line}\n`),
    wall: () => clock.wall(),
  });
}

function logLevel({ flags }: Arguments): LogLevel {
  const text = flags.get(logLevelFlag.name)?.at(-1) ?? "info";
  if (logLevelFlag.values?.includes(text)) return text as LogLevel;
  throw new NodePassError(
    "usage",
    `Flag --log is ${JSON.stringify(text)}: expected one of ${logLevelFlag.values?.join(", ")}`,
  );
}
