/**
 * The Deno permissions that one tunnel needs, and no more.
 *
 * @module
 */
import { formatAddress, isUnspecified } from "../address/ip.ts";
import { isHostName } from "./host_port.ts";
import { settingVariables } from "./settings.ts";
import type { HostPort, TunnelConfig } from "./types.ts";

/** Flags for `deno run`. */
export interface Permissions {
  readonly flags: readonly string[];
  /** Why the flags are wider than the addresses of the URL, and what would narrow them. */
  readonly notes: readonly string[];
}

/**
 * Flags for `deno run` under which this configuration works with `--no-prompt`, in a fixed order.
 *
 * @param modules where the modules of worker threads are read from; null when they need no permission
 */
export function minimalPermissions(config: TunnelConfig, modules: string | null = null): Permissions {
  const notes = reasonsForAnyAddress(config);
  const read = config.settings.workers === 1 || modules === null ? filesOf(config) : [...filesOf(config), modules];
  const files = read.map((path) => path.replaceAll(",", ",,"));
  const flags = [
    notes.length > 0 ? "--allow-net" : `--allow-net=${[...new Set(addressesOf(config))].join(",")}`,
    ...(files.length === 0 ? [] : [`--allow-read=${files.join(",")}`]),
    `--allow-env=${variablesOf(config).join(",")}`,
    // Listing the system's roots, to add one, has no narrower name.
    ...(addsRoot(config) ? ["--allow-sys"] : []),
    "--unstable-net",
  ];
  return { flags, notes };
}

function addsRoot(config: TunnelConfig): boolean {
  return config.role === "client" && config.extraCa !== null;
}

function filesOf(config: TunnelConfig): string[] {
  const files = config.key.origin === "file" ? [config.settings.keyFile] : [];
  if (config.role === "client") files.push(config.extraCa);
  else if (config.tls.kind === "files") files.push(config.tls.files.chain, config.tls.files.key);
  return files.filter((path) => path !== null);
}

function variablesOf(config: TunnelConfig): string[] {
  return [
    ...settingVariables.map(({ name }) => name),
    "NO_COLOR",
    ...(addsRoot(config) ? ["NODE_USE_SYSTEM_CA"] : []),
    // A client looks whether the system's trust was changed; the WebSocket library for its own switch.
    ...(config.role === "client" ? ["DENO_CERT", "DENO_TLS_CA_STORE"] : []),
    ...(config.transport === "websocket" ? ["WS_NO_BUFFER_UTIL"] : []),
  ];
}

/** Deno checks where a datagram goes, and looks names up only when every address is allowed. */
function reasonsForAnyAddress(config: TunnelConfig): string[] {
  const notes: string[] = [];
  const names = [config.tunnel, ...config.targets].filter(({ host }) => isHostName(host));
  for (const { host } of names) {
    notes.push(`${host} is a name and has to be looked up: an IP address would narrow --allow-net`);
  }
  if (config.udp && config.mode !== "forward") {
    notes.push("UDP visitors are answered at addresses that nobody knows before: noudp=1 would narrow --allow-net");
  }
  return notes;
}

/** What a listener and a dialler on each address, and the sockets they open, ask for. */
function addressesOf(config: TunnelConfig): string[] {
  const addresses = [config.tunnel, ...config.targets].flatMap(spellings);
  if (config.dialFrom !== null) addresses.push(formatAddress({ host: config.dialFrom, port: 0 }));
  if (config.udp) addresses.push("0.0.0.0:0", "[::]:0");
  // A certificate is tried on a port of its own before it is used, with wire=1.14 without one.
  if (config.role === "server" && config.wire === "secure" && config.tls.kind !== "plain") {
    addresses.push("127.0.0.1:0");
  }
  return addresses;
}

/** All addresses are listened on as `::`, or `0.0.0.0` without IPv6, and dialled on loopback. */
function spellings({ host, port }: HostPort): string[] {
  if (!isUnspecified(host)) return [formatAddress({ host, port })];
  return ["0.0.0.0", "::", "127.0.0.1", "::1"].map((ip) => formatAddress({ host: ip, port }));
}
