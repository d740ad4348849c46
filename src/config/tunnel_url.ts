/**
 * Tunnel URL text to a complete, frozen configuration.
 *
 * @module
 */
import { formatAddress } from "../address/ip.ts";
import { NodePassError } from "../errors.ts";
import { buildClient, buildServer, type TunnelParts } from "./build.ts";
import { hostPortAccepted, meetsLocally, parseHostPort } from "./host_port.ts";
import { chooseKey } from "./key.ts";
import { ParameterReader, quote } from "./parameter_reader.ts";
import { suggest } from "./suggest.ts";
import type { HostPort, Settings, TunnelConfig } from "./types.ts";
import { type QueryEntry, splitUrl, type UrlText } from "./url_text.ts";

export { formatTunnelUrl, fullUrl } from "./format.ts";
export { redactUrl } from "./url_text.ts";

/** Options of {@linkcode parseTunnelUrl}. */
export interface ParseOptions {
  /** The environment: `defaultSettings`, or what `readSettings` found. */
  readonly settings: Settings;
  /** True for the command line and the library; false for an API, where unknown parameters are warnings. */
  readonly strict: boolean;
  /** Content of the file that NP_KEY_FILE names: the key of a URL without one. @default null */
  readonly keyText?: string | null;
}

/** A URL that was accepted. */
export interface ParsedTunnelUrl {
  /** The configuration, complete and frozen. */
  readonly config: TunnelConfig;
  /** What is accepted and probably not meant, for the log. Never contains the key. */
  readonly warnings: string[];
  /** Parameters without a meaning, kept when `strict` is false. */
  readonly unknown: readonly QueryEntry[];
}

/**
 * Reads a `server://` or `client://` URL.
 *
 * @example
 * ```ts
 * import { defaultSettings, parseTunnelUrl } from "nodepass";
 *
 * const { config } = parseTunnelUrl("server://127.0.0.1:10101/127.0.0.1:8080?slot=100", {
 *   settings: defaultSettings,
 *   strict: true,
 * });
 * console.log(config.slots); // 100
 * ```
 *
 * @param url the text; spaces around it do not count
 * @param options environment and strictness
 * @throws {NodePassError} code `usage`: everything that is not acceptable, one finding per line
 */
export function parseTunnelUrl(url: string, options: ParseOptions): ParsedTunnelUrl {
  const parts = splitTunnelUrl(url);
  const role = parts.scheme;
  const reader = new ParameterReader(role, parts.query, options.strict);
  const findings: string[] = [];
  const tunnel = readTunnel(parts, findings);
  const targets = readTargets(parts, findings);
  const wire = reader.get("wire", "secure");
  const mode = reader.get("mode", 0);
  const answer = chooseKey({
    role,
    single: role === "client" && mode === 1,
    modeGiven: reader.has("mode"),
    wire,
    tunnel: tunnel ?? { host: "127.0.0.1", port: 0 },
    urlKey: parts.key,
    fileKey: readKeyText(options.keyText ?? null, findings),
    settings: options.settings,
    strict: options.strict,
    url,
  });
  const base: TunnelParts = {
    key: Object.freeze(answer.key),
    tunnel: tunnel ?? { host: "", port: 0 },
    targets: Object.freeze(targets),
    wire,
    mode,
    settings: options.settings,
  };
  const config = role === "server" ? buildServer(base, reader) : buildClient(base, reader);
  findings.push(...reader.findings);
  if (tunnel !== null) findings.push(...checkAddresses(config));
  if (answer.finding !== null) {
    // A command made from a URL with other faults would be no help.
    const remedy = findings.length === 0 ? answer.remedy : null;
    findings.push(answer.finding + (remedy === null ? "" : `: ${remedy}`));
  }
  if (findings.length > 0) throw new NodePassError("usage", findings.join("\n"));
  const warnings = answer.warning === null ? reader.warnings : [...reader.warnings, answer.warning];
  return { config: Object.freeze(config), warnings, unknown: Object.freeze(reader.unknown) };
}

function splitTunnelUrl(url: string): UrlText & { readonly scheme: "server" | "client" } {
  const parts = url.isWellFormed() ? splitUrl(url) : null;
  const forms = "expected server://[key@]host:port/host:port or client://[key@]host:port/host:port";
  if (parts === null) {
    // Without a scheme nobody knows where a key would end.
    const shown = url.includes("@") ? "" : ` ${quote(url)}`;
    throw new NodePassError("usage", `Cannot read tunnel URL${shown}: ${forms}`);
  }
  if (keyIsCut(parts)) {
    // No value here: part of the key would show.
    throw new NodePassError("usage", 'Tunnel key contains "/" or "?": write them percent-encoded, as %2F and %3F');
  }
  const { scheme } = parts;
  if (scheme === "server" || scheme === "client") return { ...parts, scheme };
  const close = suggest(scheme, ["server", "client"]);
  const hint = close === null ? forms : `did you mean ${close}://?`;
  throw new NodePassError("usage", `Tunnel URL starts with ${quote(`${scheme}://`)}: ${hint}`);
}

/** Whether a "/" or "?" in the key ended the authority too early. */
function keyIsCut({ key, address, path, query }: UrlText): boolean {
  if (path?.includes("@")) return true;
  if (key !== null || path !== null || parseHostPort(address) !== null) return false;
  return query.some(({ name, value }) => `${name}${value}`.includes("@"));
}

function readTunnel({ address }: UrlText, findings: string[]): HostPort | null {
  const tunnel = parseHostPort(address);
  if (tunnel === null) findings.push(`Tunnel address is ${quote(address)}: expected ${hostPortAccepted}`);
  return tunnel;
}

function readTargets({ path }: UrlText, findings: string[]): HostPort[] {
  const entries = (path ?? "").split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
  if (entries.length === 0) {
    findings.push("Target address is missing: expected host:port, or several with commas, behind the tunnel address");
  }
  const targets: HostPort[] = [];
  for (const entry of entries) {
    const target = parseHostPort(entry);
    if (target === null) findings.push(`Target address is ${quote(entry)}: expected ${hostPortAccepted}`);
    else targets.push(target);
  }
  return targets;
}

/** The key in a key file: its only line. */
function readKeyText(text: string | null, findings: string[]): string | null {
  if (text === null) return null;
  const key = text.trim();
  if (key === "" || /[\r\n]/.test(key)) {
    findings.push("Environment variable NP_KEY_FILE names a file that holds no key: expected one line with the key");
    return null;
  }
  return key;
}

/** What cannot work about the addresses of a configuration. */
function checkAddresses(config: TunnelConfig): string[] {
  const findings: string[] = [];
  const { tunnel, targets } = config;
  const dialsTarget = config.mode === "forward" || config.mode === "single";
  if (config.mode === "dual" && tunnel.port === 0) {
    findings.push("Tunnel address has port 0: expected the server's port, from 1 to 65535, with mode=2");
  }
  for (const target of targets) {
    const text = quote(formatAddress(target));
    if (meetsLocally(tunnel, target)) {
      findings.push(
        `Target address is ${text}: expected another host or port than the tunnel address, or traffic would run in a circle`,
      );
    } else if (dialsTarget && target.port === 0) {
      findings.push(`Target address is ${text}: expected a port from 1 to 65535, since it is dialled`);
    }
  }
  return findings;
}
