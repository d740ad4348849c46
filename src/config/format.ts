/**
 * Configuration to URL text.
 *
 * @module
 */
import { formatCidr } from "../address/cidr.ts";
import { isIp } from "../address/ip.ts";
import { bytesPerMbit, defaultServerName } from "./build.ts";
import { formatDuration, formatGoDuration } from "./duration.ts";
import { formatHostPort } from "./host_port.ts";
import type { ClientConfig, ServerConfig, TunnelConfig } from "./types.ts";
import { encodeValue } from "./url_text.ts";

/** Options of {@linkcode formatTunnelUrl}. */
export interface FormatOptions {
  /** `***` in place of the key. */
  readonly redact: boolean;
}

/** A parameter, its text, and whether that is the default. */
type Entry = readonly [name: string, text: string | null, isDefault: boolean];

/**
 * The URL that reads back as this configuration (under the same settings and key file). Defaults are left out; a key
 * that came from a file or the port is too.
 */
export function formatTunnelUrl(config: TunnelConfig, options: FormatOptions): string {
  return format(config, options, (_, text, isDefault) => isDefault ? null : text, formatDuration);
}

/** As {@linkcode formatTunnelUrl}, with every default filled in and parameters in alphabetical order. */
export function fullUrl(config: TunnelConfig, options: FormatOptions): string {
  return format(config, options, (_, text) => text, formatGoDuration);
}

function format(
  config: TunnelConfig,
  { redact }: FormatOptions,
  choose: (...entry: Entry) => string | null,
  duration: (ms: number) => string,
): string {
  const entries = [
    ...baseEntries(config, duration),
    ...(config.role === "server" ? serverEntries(config) : clientEntries(config)),
  ].sort(([a], [b]) => a < b ? -1 : 1);
  const query: string[] = [];
  for (const entry of entries) {
    const text = choose(...entry);
    if (text !== null) query.push(`${entry[0]}=${encodeValue(text)}`);
  }
  const targets = config.targets.map(formatHostPort).join(",");
  return `${config.role}://${keyText(config, redact)}${formatHostPort(config.tunnel)}/${targets}` +
    (query.length === 0 ? "" : `?${query.join("&")}`);
}

function keyText({ key }: TunnelConfig, redact: boolean): string {
  if (key.origin === "port") return "";
  if (redact) return "***@";
  return key.origin === "file" ? "" : `${encodeURIComponent(key.secret.reveal())}@`;
}

function baseEntries(config: TunnelConfig, duration: (ms: number) => string): Entry[] {
  const { block, settings } = config;
  const blocked = `${block.socks ? 1 : ""}${block.http ? 2 : ""}${block.tls ? 3 : ""}` || "0";
  const allow = config.allow.map(formatCidr).join(",");
  const deny = config.deny.map(formatCidr).join(",");
  return [
    ["log", config.log, config.log === "info"],
    ["wire", config.wire, config.wire === "secure"],
    ["mode", modeCode(config), config.mode === "auto"],
    ["type", config.transport === "websocket" ? "2" : "0", config.transport === "tcp"],
    ["path", config.path, config.path === "/"],
    ["read", duration(config.readMs), config.readMs === 0],
    ["rate", String(config.rateBytesPerSecond / bytesPerMbit), config.rateBytesPerSecond === 0],
    ["slot", String(config.slots), config.slots === settings.slotLimit],
    ["proxy", code(["none", "v1", "v2"], config.proxy), config.proxy === "none"],
    ["block", blocked, blocked === "0"],
    ["notcp", config.tcp ? "0" : "1", config.tcp],
    ["noudp", config.udp ? "0" : "1", config.udp],
    ["dial", config.dialFrom ?? "auto", config.dialFrom === null],
    ["dns", duration(config.dnsTtlMs), config.dnsTtlMs === 300_000],
    [
      "lbs",
      code(["round_robin", "least_connections", "source_hash"], config.balance),
      config.balance === "round_robin",
    ],
    ["allow", allow || null, allow === ""],
    ["deny", deny || null, deny === ""],
  ];
}

function serverEntries(config: ServerConfig): Entry[] {
  const { tls } = config;
  const old = config.wire === "1.14";
  const trusted = config.trusted.map(formatCidr).join(",");
  return [
    ["tls", code(["plain", "derived", "files"], tls.kind), tls.kind === (old ? "plain" : "derived")],
    ["crt", tls.kind === "files" ? tls.files.chain : null, false],
    ["key", tls.kind === "files" ? tls.files.key : null, false],
    ["max", String(config.maxLinks), config.maxLinks === 1024],
    ["clients", String(config.maxClients), config.maxClients === (old ? 1 : 64)],
    ["trusted", trusted || null, trusted === ""],
  ];
}

function clientEntries(config: ClientConfig): Entry[] {
  const usual = defaultServerName(config.tunnel);
  const byDefault = config.serverName === usual;
  return [
    ["tls", config.tls === "discover" ? null : code(["", "derived", "files"], config.tls), false],
    ["crt", config.extraCa, false],
    ["sni", byDefault && isIp(usual) ? "none" : config.serverName, byDefault],
    ["min", String(config.minLinks), config.minLinks === 64],
  ];
}

function modeCode(config: TunnelConfig): string {
  return code(config.role === "server" ? ["auto", "reverse", "forward"] : ["auto", "single", "dual"], config.mode);
}

function code(names: readonly string[], name: string): string {
  return String(names.indexOf(name));
}
