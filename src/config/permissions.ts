/**
 * The Deno permissions that one tunnel needs, and no more.
 *
 * @module
 */
import { formatAddress, isUnspecified } from "../address/ip.ts";
import { isHostName } from "./host_port.ts";
import { settingVariables } from "./settings.ts";
import type { HostPort, TunnelConfig } from "./types.ts";

/** Variables that are read besides `NP_*`: by the command, and by the modules it stands on. */
const otherVariables: readonly string[] = ["NO_COLOR", "DENO_CERT", "DENO_TLS_CA_STORE"];

/** Options of {@linkcode minimalPermissions}. */
export interface PermissionOptions {
  /** Files that are read besides those in the configuration: the run file, the key file. @default [] */
  readonly files?: readonly string[];
}

/** Flags for `deno run`, in a fixed order. */
export function minimalPermissions(config: TunnelConfig, options: PermissionOptions = {}): string[] {
  const files = [...(options.files ?? []), ...certificateFiles(config)];
  if (config.key.origin === "file" && config.settings.keyFile !== null) files.push(config.settings.keyFile);
  const unique = [...new Set(files)].map((path) => path.replaceAll(",", ",,"));
  return [
    netFlag(config),
    ...(unique.length === 0 ? [] : [`--allow-read=${unique.join(",")}`]),
    `--allow-env=${[...settingVariables.map(({ name }) => name), ...otherVariables].join(",")}`,
    "--unstable-net",
  ];
}

function certificateFiles(config: TunnelConfig): string[] {
  if (config.role === "client") return config.extraCa === null ? [] : [config.extraCa];
  return config.tls.kind === "files" ? [config.tls.files.chain, config.tls.files.key] : [];
}

/**
 * A name has to be looked up and its addresses are not known yet; a UDP socket for a target, and a connection from a
 * chosen source address, are bound to a port that the system chooses.
 */
function netFlag(config: TunnelConfig): string {
  const addresses = [config.tunnel, ...config.targets];
  if (addresses.some(({ host }) => isHostName(host))) return "--allow-net";
  return `--allow-net=${[...new Set(addresses.flatMap(reachable))].join(",")}`;
}

/** The addresses that listening on one, or dialling it, touches. */
function reachable({ host, port }: HostPort): string[] {
  if (!isUnspecified(host)) return [formatAddress({ host, port })];
  return ["0.0.0.0", "::", "127.0.0.1", "::1"].map((ip) => formatAddress({ host: ip, port }));
}
