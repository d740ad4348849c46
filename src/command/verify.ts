/**
 * `nodepass verify <url|file>`: what is wrong, all at once; starts nothing.
 *
 * @module
 */
import { parseMasterUrl } from "../config/master_url.ts";
import { fullUrl, redactUrl } from "../config/tunnel_url.ts";
import { splitUrl } from "../config/url_text.ts";
import { type CommandContext, type ExitCode, print, printJson } from "./context.ts";
import { helpFlag, jsonFlag, onlyPositional, readArguments } from "./flags.ts";
import { checked, loadSettings, loadTunnel } from "./load.ts";
import { type CheckedRunFile, loadRunFile } from "./run.ts";

/** `nodepass verify <url|file> [--json]` */
export async function verifyCommand(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const given = readArguments(args, "verify", [jsonFlag, helpFlag]);
  const subject = onlyPositional(given, "<url|file>", "nodepass verify <url|file>");
  if (splitUrl(subject)?.scheme === "master") return verifyMaster(subject, given.flags.has("json"), context);
  const result = subject.includes("://") ? await verifyUrl(subject, context) : await loadRunFile(subject, context);
  const ok = result.findings.length === 0 && result.tunnels.every((tunnel) => tunnel.checked.value !== null);
  if (given.flags.has("json")) printJson(context, { ok, ...describe(result) });
  else print(context, textOf(result));
  return ok ? 0 : 2;
}

function verifyMaster(url: string, json: boolean, context: CommandContext): ExitCode {
  const { value, findings } = checked(() => parseMasterUrl(url));
  const { findings: environment } = loadSettings((name) => context.runtime.process.env(name));
  const [wrong, warnings] = [[...findings, ...environment], value?.warnings ?? []];
  const lines = [
    ...wrong.map((finding) => `error    ${finding}`),
    ...warnings.map((warning) => `warning  ${warning}`),
    ...(wrong.length === 0 ? [`ok       ${url}`] : []),
  ];
  if (json) printJson(context, { ok: wrong.length === 0, findings: wrong, warnings });
  else print(context, lines.join("\n"));
  return wrong.length === 0 ? 0 : 2;
}

async function verifyUrl(url: string, { runtime }: CommandContext): Promise<CheckedRunFile> {
  const { settings, findings } = loadSettings((name) => runtime.process.env(name));
  return { findings, tunnels: [{ url, name: null, checked: await loadTunnel(url, null, settings, runtime.files) }] };
}

function describe({ findings, tunnels }: CheckedRunFile): Record<string, unknown> {
  return {
    findings,
    tunnels: tunnels.map(({ url, name, checked: { value, findings } }) => ({
      name,
      url: redactUrl(url),
      config: value === null ? null : fullUrl(value.config, { redact: true }),
      findings,
      warnings: value?.warnings ?? [],
    })),
  };
}

function textOf({ findings, tunnels }: CheckedRunFile): string {
  const lines = findings.map((finding) => `error    ${finding}`);
  for (const { checked: { value, findings } } of tunnels) {
    for (const finding of findings) lines.push(`error    ${finding}`);
    for (const warning of value?.warnings ?? []) lines.push(`warning  ${warning}`);
    if (value !== null) lines.push(`ok       ${fullUrl(value.config, { redact: true })}`);
  }
  return lines.join("\n");
}
