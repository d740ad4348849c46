/**
 * `nodepass "master://..."` and `nodepass master`: an HTTP API that runs tunnels, until a signal says stop.
 *
 * @module
 */
import { parseMasterUrl } from "../config/master_url.ts";
import { parametersOf } from "../config/parameters.ts";
import { encodeValue } from "../config/url_text.ts";
import { NodePassError } from "../errors.ts";
import { createLogger } from "../log/logger.ts";
import type { Logger, LogLevel } from "../log/types.ts";
import type { MasterHandle } from "../start/master.ts";
import { type CommandContext, type ExitCode, print } from "./context.ts";
import { type Arguments, helpFlag, readArguments } from "./flags.ts";
import { loadSettings } from "./load.ts";
import { masterFlags, stateDirFlag } from "./master_flags.ts";
import { logFormat } from "./tunnel.ts";

/** URL of `nodepass master` without one: an API for this machine alone. */
const DEFAULT_URL = "master://127.0.0.1:8080/api";

/** `nodepass master [url] [flags]` */
export async function masterCommand(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const { runtime } = context;
  const { process } = runtime;
  const given = readArguments(args, "master", [...masterFlags, helpFlag]);
  const { config, warnings } = parseMasterUrl(masterUrl(given));
  const { settings, findings } = loadSettings((name) => process.env(name));
  if (findings.length > 0) throw new NodePassError("usage", findings.join("\n"));
  const logger = loggerOf(config.log, logFormat(given), context);
  for (const warning of warnings) logger.warn(warning);

  const stopping = Promise.withResolvers<void>();
  const abandoned = Promise.withResolvers<ExitCode>();
  let signals = 0;
  const onStop = (): void => {
    if (signals++ > 0) abandoned.resolve(1);
    stopping.resolve();
  };
  let master: MasterHandle | null = null;
  const undo = [
    process.onSignal("SIGINT", onStop),
    process.onSignal("SIGTERM", onStop),
    process.onSignal("SIGHUP", () => void master?.reload().then(() => logger.info("Certificates are read again"))),
  ];
  const run = async (): Promise<ExitCode> => {
    const { startMaster } = await import("../start/master.ts");
    const engines = settings.engines ?? runtime.threads.processors;
    const stateDir = given.flags.get(stateDirFlag.name)?.at(-1);
    master = await startMaster(config, { runtime, logger, engines, ...(stateDir === undefined ? {} : { stateDir }) });
    process.setTitle(`nodepass master ${master.apiUrl}`);
    greet(master, context);
    await stopping.promise;
    logger.info("Stopping: sessions may end, no new ones are taken");
    await master.close();
    return 0;
  };
  try {
    return await Promise.race([run(), abandoned.promise]);
  } finally {
    for (const remove of undo) remove();
  }
}

function loggerOf(level: LogLevel, format: "text" | "json", { runtime: { process, clock } }: CommandContext): Logger {
  return createLogger({
    level,
    format,
    color: format === "text" && process.stdoutIsTerminal && (process.env("NO_COLOR") ?? "") === "",
    write: (line) => process.stdout(`${line}\n`),
    wall: () => clock.wall(),
  });
}

/** The key is shown once, to a person; everybody else is told how to get it. */
function greet(master: MasterHandle, context: CommandContext): void {
  if (!master.isNew) return;
  if (!context.runtime.process.stdoutIsTerminal) {
    print(context, 'A new API key was made: "nodepass state key" shows it');
    return;
  }
  const key = master.key.reveal();
  print(
    context,
    `
Dashboard  ${master.apiUrl.replace(/v1$/, "")}
API        ${master.apiUrl}
API key    ${key}

np://master?url=${btoa(master.apiUrl)}&key=${btoa(key)}

The key is shown this once; "nodepass state key" shows it again.
`,
  );
}

/** The URL, with what flags say in place of what it says. */
function masterUrl({ positionals, flags }: Arguments): string {
  if (positionals.length > 1) {
    throw new NodePassError(
      "usage",
      `Too many arguments: expected one URL in quotes, found ${positionals.length} words`,
    );
  }
  const url = positionals[0] ?? DEFAULT_URL;
  const said = [...flags].filter(([name]) => parametersOf("master").some((parameter) => parameter.name === name));
  if (said.length === 0) return url;
  const split = url.indexOf("?");
  const kept = split === -1 ? [] : url.slice(split + 1).split("&").filter((entry) => {
    const name = entry.split("=", 1)[0] ?? "";
    return name !== "" && !flags.has(name === "cert" ? "crt" : name);
  });
  const query = [...kept, ...said.map(([name, values]) => `${name}=${encodeValue(values.at(-1) ?? "")}`)];
  return `${split === -1 ? url : url.slice(0, split)}?${query.join("&")}`;
}
