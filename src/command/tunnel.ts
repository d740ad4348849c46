/**
 * `nodepass <url>`, `nodepass server` and `nodepass client`: one tunnel.
 *
 * @module
 */
import { formatTunnelUrl } from "../config/tunnel_url.ts";
import { splitUrl } from "../config/url_text.ts";
import { NodePassError } from "../errors.ts";
import type { CommandContext, ExitCode } from "./context.ts";
import { type Arguments, helpFlag, readArguments } from "./flags.ts";
import { loadSettings, loadTunnel } from "./load.ts";
import { serve } from "./serve.ts";
import { logFormatFlag, tunnelFlags, type TunnelRole, urlFromFlags } from "./tunnel_flags.ts";

/** `nodepass <url> [flags]` */
export async function urlCommand(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const url = args.find((arg) => arg.includes("://"));
  const scheme = url === undefined ? null : splitUrl(url)?.scheme;
  if (scheme === "master") return await (await import("./master.ts")).masterCommand(args, context);
  return await tunnelCommand(scheme === "client" ? "client" : "server", args, context);
}

/** `nodepass server|client [url] [flags]` */
export async function tunnelCommand(
  role: TunnelRole,
  args: readonly string[],
  context: CommandContext,
): Promise<ExitCode> {
  const given = readArguments(args, role, [...tunnelFlags(role), helpFlag]);
  const url = urlFromFlags(role, givenUrl(role, given), given);
  const { process, files } = context.runtime;
  const { settings, findings } = loadSettings((name) => process.env(name));
  const loaded = await loadTunnel(url, null, settings, files);
  const all = [...findings, ...loaded.findings];
  if (all.length > 0 || loaded.value === null) throw new NodePassError("usage", all.join("\n"));
  process.setTitle(`nodepass ${formatTunnelUrl(loaded.value.config, { redact: true })}`);
  return await serve([loaded.value], context, { logFormat: logFormat(given), reread: null });
}

function givenUrl(role: TunnelRole, { positionals }: Arguments): string | null {
  const [url] = positionals;
  if (positionals.length > 1) {
    throw new NodePassError(
      "usage",
      `Too many arguments: expected one URL in quotes, found ${positionals.length} words`,
    );
  }
  if (url === undefined) return null;
  const scheme = splitUrl(url)?.scheme;
  if ((scheme === "server" || scheme === "client") && scheme !== role) {
    throw new NodePassError(
      "usage",
      `Tunnel URL starts with "${scheme}://": expected ${role}:// for "nodepass ${role}"`,
    );
  }
  return url;
}

/**
 * The form of log lines that `--log-format` asks for.
 *
 * @throws {NodePassError} code `usage`
 */
export function logFormat({ flags }: Arguments): "text" | "json" {
  const value = flags.get(logFormatFlag.name)?.at(-1) ?? "text";
  if (value === "text" || value === "json") return value;
  throw new NodePassError("usage", `Flag --log-format is ${JSON.stringify(value)}: expected text or json`);
}
