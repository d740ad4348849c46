/**
 * The environment (`NP_*`), read once at start.
 *
 * @module
 */
import { NodePassError } from "../errors.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import type { Settings } from "./types.ts";

/** Every default. */
export const defaultSettings: Settings = Object.freeze({
  slotLimit: 65_536,
  tcpBufferBytes: 1_048_576,
  udpBufferBytes: 65_507,
  handshakeTimeoutMs: 5000,
  tcpDialTimeoutMs: 5000,
  udpDialTimeoutMs: 5000,
  udpSessionMs: 30_000,
  poolGetTimeoutMs: 5000,
  minPoolIntervalMs: 100,
  maxPoolIntervalMs: 1000,
  reportIntervalMs: 5000,
  serviceCooldownMs: 3000,
  shutdownTimeoutMs: 5000,
  reloadIntervalMs: 3_600_000,
  stateDir: null,
  keyFile: null,
  engines: null,
  workers: 1,
  requireKey: false,
  allowPortKey: false,
  allowLinkLocal: false,
});

type Kind =
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  | { readonly kind: "duration"; readonly minMs: number }
  | { readonly kind: "count"; readonly max: number }
  | { readonly kind: "switch" }
  | { readonly kind: "path" };

const duration: Kind = { kind: "duration", minMs: 1 };
const relayBuffer: Kind = { kind: "integer", min: 1024, max: 1_048_576 };

/** One variable: its name, the setting it fills, what it accepts and what it means. */
export interface SettingVariable {
  readonly name: `NP_${string}`;
  readonly field: keyof Settings;
  readonly kind: Kind;
  readonly meaning: string;
}

/** All variables, in the order in which the help shows them. */
export const settingVariables: readonly SettingVariable[] = [
  variable("NP_SEMAPHORE_LIMIT", "slotLimit", integer(0, 2 ** 31 - 1), "default of `slot`"),
  variable("NP_TCP_DATA_BUF_SIZE", "tcpBufferBytes", relayBuffer, "largest relay buffer in bytes"),
  variable("NP_UDP_DATA_BUF_SIZE", "udpBufferBytes", integer(1, 65_507), "largest datagram in bytes"),
  variable("NP_HANDSHAKE_TIMEOUT", "handshakeTimeoutMs", duration, "limit of a handshake"),
  variable("NP_TCP_DIAL_TIMEOUT", "tcpDialTimeoutMs", duration, "limit of a TCP dial"),
  variable("NP_UDP_DIAL_TIMEOUT", "udpDialTimeoutMs", duration, "limit of opening a UDP target"),
  variable("NP_UDP_READ_TIMEOUT", "udpSessionMs", duration, "expiry of a UDP session"),
  variable("NP_POOL_GET_TIMEOUT", "poolGetTimeoutMs", duration, "how long a visitor waits for a link"),
  variable("NP_MIN_POOL_INTERVAL", "minPoolIntervalMs", duration, "shortest pause between bursts of new links"),
  variable("NP_MAX_POOL_INTERVAL", "maxPoolIntervalMs", duration, "quiet time before a surplus link is closed"),
  variable("NP_REPORT_INTERVAL", "reportIntervalMs", duration, "time between checkpoints"),
  variable(
    "NP_SERVICE_COOLDOWN",
    "serviceCooldownMs",
    duration,
    "pause before a tunnel that failed while running starts again",
  ),
  variable("NP_SHUTDOWN_TIMEOUT", "shutdownTimeoutMs", { kind: "duration", minMs: 0 }, "drain time at the end"),
  variable("NP_RELOAD_INTERVAL", "reloadIntervalMs", duration, "time between reads of certificate files"),
  variable("NP_STATE_DIR", "stateDir", { kind: "path" }, "state directory of a master"),
  variable("NP_KEY_FILE", "keyFile", { kind: "path" }, "file that holds the tunnel key"),
  variable("NP_ENGINES", "engines", integer(0, 1024), "engine processes of a master (default: CPU count)"),
  variable("NP_WORKERS", "workers", { kind: "count", max: 64 }, "threads that serve one tunnel together"),
  variable("NP_REQUIRE_KEY", "requireKey", { kind: "switch" }, "1: refuse keys under 16 characters off loopback"),
  variable("NP_ALLOW_PORT_KEY", "allowPortKey", { kind: "switch" }, "1: run without a key off loopback"),
  variable("NP_ALLOW_LINK_LOCAL", "allowLinkLocal", { kind: "switch" }, "1: dial link-local targets too"),
];

function variable(name: `NP_${string}`, field: keyof Settings, kind: Kind, meaning: string): SettingVariable {
  return { name, field, kind, meaning };
}

function integer(min: number, max: number): Kind {
  return { kind: "integer", min, max };
}

/** What a variable accepts, in words. */
export function acceptedBy(kind: Kind): string {
  switch (kind.kind) {
    case "integer":
      return `an integer from ${kind.min} to ${kind.max}`;
    case "count":
      return `an integer from 1 to ${kind.max}, or auto (the CPU count)`;
    case "duration":
      return kind.minMs === 0 ? 'a duration such as "5s" or "1h30m"' : 'a duration above 0 such as "5s" or "1h30m"';
    case "switch":
      return "0 or 1";
    case "path":
      return "a path";
  }
}

/**
 * Reads every `NP_*` variable; an unset or empty one keeps its default.
 *
 * @throws {NodePassError} code `usage`: every value that is not acceptable, one per line
 */
export function readSettings(env: (name: string) => string | undefined): Settings {
  const settings: Record<string, unknown> = { ...defaultSettings };
  const findings: string[] = [];
  for (const { name, field, kind } of settingVariables) {
    const text = env(name)?.trim() ?? "";
    if (text === "") continue;
    const value = valueOf(text, kind);
    if (value === undefined) {
      findings.push(`Environment variable ${name} is ${JSON.stringify(text)}: expected ${acceptedBy(kind)}`);
    } else settings[field] = value;
  }
  if (findings.length === 0 && Number(settings.minPoolIntervalMs) > Number(settings.maxPoolIntervalMs)) {
    findings.push(
      `Environment variable NP_MIN_POOL_INTERVAL is ${
        formatDuration(Number(settings.minPoolIntervalMs))
      }: expected at ` +
        `most NP_MAX_POOL_INTERVAL, ${formatDuration(Number(settings.maxPoolIntervalMs))}`,
    );
  }
  if (findings.length > 0) throw new NodePassError("usage", findings.join("\n"));
  return Object.freeze(settings) as unknown as Settings;
}

/** Undefined: not acceptable. */
function valueOf(text: string, kind: Kind): number | boolean | string | null | undefined {
  switch (kind.kind) {
    case "integer":
      return integerOf(text, kind.min, kind.max);
    case "count":
      return text === "auto" ? null : integerOf(text, 1, kind.max);
    case "duration": {
      const value = parseDuration(text);
      return value !== null && value >= kind.minMs ? value : undefined;
    }
    case "switch":
      return text === "1" ? true : text === "0" ? false : undefined;
    case "path":
      return text;
  }
}

function integerOf(text: string, min: number, max: number): number | undefined {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  return value >= min && value <= max ? value : undefined;
}
