/**
 * `nodepass run -c file`: every tunnel of a file.
 *
 * @module
 */
import { parseRunFile } from "../config/run_file.ts";
import { messageOf, NodePassError } from "../errors.ts";
import { fileFlag } from "./commands.ts";
import type { CommandContext, ExitCode } from "./context.ts";
import { helpFlag, noPositionals, readArguments } from "./flags.ts";
import { type Checked, checked, type LoadedTunnel, loadSettings, loadTunnel } from "./load.ts";
import { serve } from "./serve.ts";
import { logFormat } from "./tunnel.ts";
import { logFormatFlag } from "./tunnel_flags.ts";
import { identityOf } from "./tunnel_set.ts";

/** `nodepass run -c file` */
export async function runFileCommand(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const given = readArguments(args, "run", [fileFlag, logFormatFlag, helpFlag]);
  noPositionals(given, "nodepass run -c file");
  const path = given.flags.get(fileFlag.name)?.at(-1);
  if (path === undefined) {
    throw new NodePassError("usage", 'Flag -c is missing: expected -c file, see "nodepass help file"');
  }
  const read = async (): Promise<readonly LoadedTunnel[]> => {
    const { tunnels, findings } = await loadRunFile(path, context);
    const all = [...findings, ...tunnels.flatMap((tunnel) => tunnel.checked.findings)];
    if (all.length > 0) throw new NodePassError("usage", all.join("\n"));
    return tunnels.flatMap((tunnel) => tunnel.checked.value === null ? [] : [tunnel.checked.value]);
  };
  const tunnels = await read();
  return await serve(tunnels, context, { logFormat: logFormat(given), reread: read });
}

/** One entry of a run file and what became of it. */
export interface CheckedEntry {
  readonly url: string;
  readonly name: string | null;
  readonly checked: Checked<LoadedTunnel>;
}

/** A run file, checked as far as possible. */
export interface CheckedRunFile {
  readonly tunnels: readonly CheckedEntry[];
  /** What is wrong with the file or the environment rather than with one tunnel. */
  readonly findings: readonly string[];
}

/** Reads a run file and every tunnel in it; nothing is thrown for what is in the file. */
export async function loadRunFile(path: string, { runtime }: CommandContext): Promise<CheckedRunFile> {
  const text = await runtime.files.readText(path).catch((error: unknown) => {
    throw new NodePassError("usage", `Cannot read run file ${path}: ${messageOf(error)}`, { cause: error });
  });
  const file = checked(() => parseRunFile(text, path));
  if (file.value === null) return { tunnels: [], findings: file.findings };
  const { tunnels, environment } = file.value;
  const { settings, findings } = loadSettings((name) => runtime.process.env(name) || environment.get(name));
  const loaded = await Promise.all(tunnels.map(async ({ url, name }, index): Promise<CheckedEntry> => {
    const result = await loadTunnel(url, name, settings, runtime.files);
    const where = name === null ? `Tunnel ${index + 1}` : `Tunnel ${JSON.stringify(name)}`;
    if (result.value !== null) return { url, name, checked: result };
    return { url, name, checked: { value: null, findings: result.findings.map((finding) => `${where}: ${finding}`) } };
  }));
  return { tunnels: loaded, findings: [...findings, ...duplicates(loaded)] };
}

function duplicates(tunnels: readonly CheckedEntry[]): string[] {
  const seen = new Map<string, number>();
  const findings: string[] = [];
  for (const [index, { checked: { value } }] of tunnels.entries()) {
    if (value === null) continue;
    const identity = identityOf({ ...value, name: null });
    const first = seen.get(identity);
    if (first === undefined) seen.set(identity, index + 1);
    else findings.push(`Tunnel ${index + 1} is the same as tunnel ${first}: expected every tunnel once`);
  }
  return findings;
}
