/**
 * Where the instances of a master run: in processes of their own, or in this one.
 *
 * @module
 */
import { formatDuration } from "../config/duration.ts";
import type { Settings } from "../config/types.ts";
import { EngineHost } from "../engine/host.ts";
import type { StartTunnel } from "../engine/types.ts";
import { messageOf } from "../errors.ts";
import { escapeValue } from "../log/escape.ts";
import type { Logger } from "../log/types.ts";
import type { EngineLink, StartEngine } from "../report/engine_link.ts";
import { LineReader } from "../report/line_reader.ts";
import { decodeReport, encodeCommand, type EngineReport } from "../report/messages.ts";
import type { ChildExit, ChildProcess, Runtime } from "../runtime/types.ts";
import { VERSION } from "../version.ts";

/** What an engine on Deno may do: run any tunnel, and nothing else. */
const DENO_FLAGS: readonly string[] = [
  "--allow-net",
  "--allow-env",
  "--allow-read",
  // To add a root to those of the system, a client lists them.
  "--allow-sys",
  "--unstable-net",
  "--no-prompt",
  "--quiet",
  "--cached-only",
];
/** Lines of its own trouble that an engine may log. */
const MOST_TROUBLE_LINES = 20;
const LONGEST_TROUBLE_LINE = 8_192;

/** Options of {@linkcode engineProcesses}. */
export interface EngineProcessOptions {
  readonly runtime: Runtime;
  /** Those that an engine and its master have to agree on are handed on. */
  readonly settings: Pick<Settings, "reportIntervalMs" | "shutdownTimeoutMs">;
  /** Hears of the trouble of engines themselves. */
  readonly logger: Logger;
  /** URL of the module that is the command. @default the `cli` module beside the sources */
  readonly entry?: string | undefined;
}

/** Engines that are processes: the command itself, started once more as `nodepass engine`. */
export function engineProcesses(options: EngineProcessOptions): StartEngine {
  const { runtime, settings, logger, entry = commandModule() } = options;
  const { execPath, standalone } = runtime.process;
  return (onReport) => {
    const child = runtime.processes.spawn({
      command: execPath,
      args: standalone ? ["engine"] : [...runtimeFlags(runtime, entry), "engine"],
      env: {
        NP_REPORT_INTERVAL: formatDuration(settings.reportIntervalMs),
        NP_SHUTDOWN_TIMEOUT: formatDuration(settings.shutdownTimeoutMs),
      },
    });
    return linkTo(child, onReport, logger.with({ engine: child.pid }));
  };
}

/** Engines that are parts of this program. */
export function engineInside(
  { runtime, settings, startTunnel }: {
    readonly runtime: Runtime;
    readonly settings: Settings;
    readonly startTunnel: StartTunnel;
  },
): StartEngine {
  return (onReport) => {
    const ended = Promise.withResolvers<string>();
    let gone = false;
    const host = new EngineHost({
      runtime,
      settings,
      startTunnel,
      report: (report) => {
        if (!gone) onReport(report);
      },
    });
    // As a process says it; an engine that never does counts as one that does not answer.
    void Promise.resolve().then(() => {
      if (!gone) onReport({ kind: "ready", pid: runtime.process.pid, version: VERSION });
    });
    const close = (graceMs: number): void => {
      void host.close(graceMs).then(() => {
        gone = true;
        ended.resolve("it was asked to");
      });
    };
    return {
      pid: null,
      ended: ended.promise,
      send: (command) => void Promise.resolve().then(() => host.command(command)),
      end: () => void Promise.resolve().then(() => close(settings.shutdownTimeoutMs)),
      kill: () => close(0),
    };
  };
}

function runtimeFlags({ name }: Runtime, entry: string): string[] {
  if (name === "deno") return ["run", ...DENO_FLAGS, entry];
  return ["--disable-warning=ExperimentalWarning", entry.startsWith("file:") ? pathOf(entry) : entry];
}

/** The command among the sources and in the npm package; a bundle that holds this is the command itself. */
function commandModule(): string {
  const here = import.meta.url;
  const among = /\/start\/engines\.([jt]s)$/.exec(here);
  return among === null ? here : new URL(`../../cli.${among[1]}`, here).href;
}

function pathOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname).replace(/^\/(?=[A-Za-z]:)/, "");
}

function linkTo(child: ChildProcess, onReport: (report: EngineReport) => void, logger: Logger): EngineLink {
  const encoder = new TextEncoder();
  let broken: string | null = null;
  const fail = (error: unknown): void => {
    broken ??= messageOf(error);
    child.kill();
  };
  child.onOutput(guarded(
    new LineReader((line) => {
      if (broken === null) onReport(decodeReport(line));
    }),
    fail,
  ));
  let trouble = 0;
  child.onErrorOutput(guarded(
    new LineReader((line) => {
      if (trouble++ < MOST_TROUBLE_LINES) logger.warn("An engine is in trouble", { reason: escapeValue(line) });
    }, LONGEST_TROUBLE_LINE),
    () => {},
  ));
  return {
    pid: child.pid,
    ended: child.exited.then((exit) => broken ?? reasonOf(exit)),
    send: (command) => void child.write(encoder.encode(`${encodeCommand(command)}\n`)),
    end: () => child.endInput(),
    kill: () => child.kill(),
  };
}

function guarded(lines: LineReader, failed: (error: unknown) => void): (bytes: Uint8Array) => void {
  return (bytes) => {
    try {
      lines.push(bytes);
    } catch (error) {
      failed(error);
    }
  };
}

function reasonOf({ code, signal, error }: ChildExit): string {
  if (error !== null) return error.message;
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}
