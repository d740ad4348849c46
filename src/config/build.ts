/**
 * Parameters of a URL to the members of a configuration.
 *
 * @module
 */
import { isIp, normalizeIp } from "../address/ip.ts";
import type { ParameterReader } from "./parameter_reader.ts";
import type { CertificateFiles, ClientConfig, HostPort, ServerConfig, Settings, TunnelKey } from "./types.ts";

/** What is known before the parameters are read. */
export interface TunnelParts {
  readonly key: TunnelKey;
  readonly tunnel: HostPort;
  readonly targets: readonly HostPort[];
  readonly wire: "secure" | "1.14";
  readonly mode: 0 | 1 | 2;
  readonly settings: Settings;
}

/** Default idle limit of cached DNS answers. */
const dnsTtlMs = 300_000;
/** One Mbit/s in bytes per second. */
export const bytesPerMbit = 125_000;

type Base = Omit<ServerConfig, "role" | "mode" | "tls" | "maxLinks" | "maxClients" | "trusted">;

function buildBase(parts: TunnelParts, reader: ParameterReader): Base {
  const dial = reader.get("dial", "auto");
  const noTcp = reader.get("notcp", false);
  const noUdp = reader.get("noudp", false);
  if (noTcp && noUdp) reader.reject("noudp");
  return {
    key: parts.key,
    tunnel: parts.tunnel,
    targets: parts.targets,
    log: reader.get("log", "info"),
    wire: parts.wire,
    transport: readTransport(parts, reader),
    path: reader.get("path", "/"),
    readMs: reader.get("read", 0),
    rateBytesPerSecond: reader.get("rate", 0) * bytesPerMbit,
    slots: reader.get("slot", parts.settings.slotLimit),
    proxy: reader.get("proxy", "none"),
    block: reader.get("block", Object.freeze({ socks: false, http: false, tls: false })),
    tcp: !noTcp,
    udp: !noUdp,
    dialFrom: dial === "auto" ? null : dial,
    dnsTtlMs: reader.get("dns", dnsTtlMs),
    balance: reader.get("lbs", "round_robin"),
    allow: reader.get("allow", Object.freeze([])),
    deny: reader.get("deny", Object.freeze([])),
    settings: parts.settings,
  };
}

/** The Go program's links on WebSockets are others: with its dialect links run on TCP. */
function readTransport({ wire }: TunnelParts, reader: ParameterReader): "tcp" | "websocket" {
  const transport = reader.get("type", "tcp");
  if (wire === "1.14" && transport !== "tcp") reader.reject("type", "0 with wire=1.14");
  return transport;
}

/** The configuration of a `server://` URL; what is wrong goes to the reader. */
export function buildServer(parts: TunnelParts, reader: ParameterReader): ServerConfig {
  const old = parts.wire === "1.14";
  const maxClients = reader.get("clients", old ? 1 : 64);
  if (old && maxClients > 1) reader.reject("clients");
  return {
    role: "server",
    mode: ([`auto`, `reverse`, `forward`] as const)[parts.mode],
    ...buildBase(parts, reader),
    tls: serverTls(reader, old ? "plain" : "derived"),
    maxLinks: reader.get("max", 1024),
    maxClients,
    trusted: reader.get("trusted", Object.freeze([])),
  };
}

/** TLS of a listener: of a tunnel server or a master. */
export function serverTls(reader: ParameterReader, fallback: "plain" | "derived"): ServerConfig["tls"] {
  const kind = reader.get("tls", fallback);
  const files = certificateFiles(reader);
  if (kind === "files") {
    if (files !== null) return Object.freeze({ kind, files });
    if (!reader.has("crt") && !reader.has("key")) {
      reader.reject("tls", "crt and key beside tls=2, the paths of PEM files");
    }
    return { kind, files: { chain: "", key: "" } };
  }
  if (files !== null) reader.warnings.push('Parameters "crt" and "key" are ignored: they need tls=2');
  return Object.freeze({ kind });
}

function certificateFiles(reader: ParameterReader): CertificateFiles | null {
  const chain = reader.get("crt", null);
  const key = reader.get("key", null);
  if (reader.has("crt") && !reader.has("key")) reader.reject("crt", "key beside it, the path of the PEM private key");
  if (reader.has("key") && !reader.has("crt")) {
    // No value here: somebody may have taken this for the tunnel key.
    reader.findings.push(
      'Parameter "key" stands without "crt": expected both, the paths of PEM files (the tunnel key stands before the @)',
    );
  }
  return chain !== null && key !== null ? Object.freeze({ chain, key }) : null;
}

/** The configuration of a `client://` URL; what is wrong goes to the reader. */
export function buildClient(parts: TunnelParts, reader: ParameterReader): ClientConfig {
  const tls = clientTls(parts, reader);
  const extraCa = reader.get("crt", null);
  if (extraCa !== null && tls === "derived") {
    reader.warnings.push('Parameter "crt" is ignored: tls=1 trusts the key alone');
  }
  const sni = reader.get("sni", "none");
  return {
    role: "client",
    mode: ([`auto`, `single`, `dual`] as const)[parts.mode],
    ...buildBase(parts, reader),
    tls,
    extraCa,
    serverName: sni === "none" ? defaultServerName(parts.tunnel) : sni,
    minLinks: reader.get("min", 64),
  };
}

/** Without a pin the client takes what the server proves: never less than what it is configured for. */
function clientTls(parts: TunnelParts, reader: ParameterReader): ClientConfig["tls"] {
  const pinned = reader.get("tls", "plain");
  if (parts.wire === "1.14") {
    if (reader.has("tls")) {
      reader.warnings.push('Parameter "tls" belongs to the server with wire=1.14, the client ignores it');
    }
    return "discover";
  }
  return pinned === "plain" ? "discover" : pinned;
}

/** The name that a server's certificate must carry when `sni` does not say. */
export function defaultServerName(tunnel: HostPort): string {
  if (tunnel.host === "") return "localhost";
  return isIp(tunnel.host) ? normalizeIp(tunnel.host) : tunnel.host;
}
