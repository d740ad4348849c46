/**
 * Runs tunnels until a signal says stop.
 *
 * @module
 */
import { formatDuration } from "../config/duration.ts";
import { fullUrl } from "../config/tunnel_url.ts";
import { messageOf } from "../errors.ts";
import { createLogger } from "../log/logger.ts";
import type { Logger } from "../log/types.ts";
import type { TunnelHandle } from "../tunnel/types.ts";
import type { CommandContext, ExitCode } from "./context.ts";
import type { LoadedTunnel } from "./load.ts";
import { identityOf, TunnelSet } from "./tunnel_set.ts";
import { version } from "./version.ts";

/** Options of {@linkcode serve}. */
export interface ServeOptions {
  readonly logFormat: "text" | "json";
  /** Reads the list again at SIGHUP; null without a file. */
  readonly reread: (() => Promise<readonly LoadedTunnel[]>) | null;
}

/** Starts the tunnels, waits for SIGINT or SIGTERM, closes them, and gives the exit code. */
export async function serve(
  tunnels: readonly LoadedTunnel[],
  context: CommandContext,
  options: ServeOptions,
): Promise<ExitCode> {
  const { process } = context.runtime;
  const stop = new AbortController();
  const set = new TunnelSet({
    clock: context.runtime.clock,
    start: (tunnel) => start(tunnel, context, options, stop.signal),
    failed: ({ tunnel, error }) => {
      const { role, settings } = tunnel.config;
      loggerFor(tunnel, context, options).error(
        `${role === "server" ? "Server" : "Client"} error: ${messageOf(error)}`,
        { restart: formatDuration(settings.serviceCooldownMs) },
      );
    },
  });
  const log = loggerFor(tunnels[0] ?? null, context, options);
  const abandoned = Promise.withResolvers<ExitCode>();
  const stopping = new Promise<void>((resolve) =>
    stop.signal.addEventListener("abort", () => resolve(), { once: true })
  );
  const onStop = (): void => {
    if (stop.signal.aborted) abandoned.resolve(1);
    stop.abort();
  };
  const undo = [
    process.onSignal("SIGINT", onStop),
    process.onSignal("SIGTERM", onStop),
    process.onSignal("SIGHUP", () => void reload(set, log, options)),
  ];
  try {
    return await Promise.race([run(tunnels, set, stopping, log), abandoned.promise]);
  } finally {
    for (const remove of undo) remove();
  }
}

async function run(
  tunnels: readonly LoadedTunnel[],
  set: TunnelSet,
  stopping: Promise<void>,
  log: Logger,
): Promise<ExitCode> {
  const starting = set.replace(tunnels);
  const failures = await Promise.race([starting, stopping.then(() => [])]);
  if (failures.length > 0) {
    await set.close();
    for (const { error } of failures.slice(1)) log.error(messageOf(error));
    throw failures[0]?.error;
  }
  await stopping;
  log.info("Stopping: sessions may end, no new ones are taken");
  await starting.catch(() => []);
  await set.close();
  return 0;
}

async function reload(set: TunnelSet, log: Logger, { reread }: ServeOptions): Promise<void> {
  try {
    const tunnels = reread === null ? null : await reread();
    for (const { tunnel, error } of await set.reload()) {
      log.error(`Cannot reload certificates: ${messageOf(error)}`, { tunnel: identityOf(tunnel, true) });
    }
    if (tunnels === null) return log.info("Certificates are read again");
    for (const { tunnel, error } of await set.replace(tunnels)) {
      log.error(`Cannot start: ${messageOf(error)}`, { tunnel: identityOf(tunnel, true) });
    }
    log.info("Certificates and the run file are read again", { tunnels: set.size });
  } catch (error) {
    for (const line of messageOf(error).split("\n")) log.error(`Cannot reload, everything stays as it is: ${line}`);
  }
}

async function start(
  tunnel: LoadedTunnel,
  context: CommandContext,
  options: ServeOptions,
  signal: AbortSignal,
): Promise<TunnelHandle> {
  const logger = loggerFor(tunnel, context, options);
  logger.info("Starting", { version, url: fullUrl(tunnel.config, { redact: true }) });
  for (const warning of tunnel.warnings) logger.warn(warning);
  return await startUntil(
    signal,
    (signal) => context.startTunnel(tunnel.config, { runtime: context.runtime, logger, signal }),
  );
}

/** The signal cancels a start; what runs is closed with its time to drain instead. */
async function startUntil(
  stop: AbortSignal,
  start: (signal: AbortSignal) => Promise<TunnelHandle>,
): Promise<TunnelHandle> {
  const starting = new AbortController();
  const cancel = (): void => starting.abort();
  stop.addEventListener("abort", cancel, { once: true });
  if (stop.aborted) cancel();
  try {
    return await start(starting.signal);
  } finally {
    stop.removeEventListener("abort", cancel);
  }
}

function loggerFor(tunnel: LoadedTunnel | null, { runtime }: CommandContext, options: ServeOptions): Logger {
  const { process, clock } = runtime;
  const logger = createLogger({
    level: tunnel?.config.log ?? "info",
    format: options.logFormat,
    color: options.logFormat === "text" && process.stdoutIsTerminal && (process.env("NO_COLOR") ?? "") === "",
    write: (line) => process.stdout(`${line}\n`),
    wall: () => clock.wall(),
  });
  return tunnel?.name == null ? logger : logger.with({ instance: tunnel.name });
}
