/**
 * The complete, frozen configuration of one tunnel instance: no optionals, no codes as strings.
 *
 * @module
 */
import type { Cidr } from "../address/cidr.ts";
import type { LogLevel } from "../log/types.ts";
import type { Secret } from "./secret.ts";

/** A host as written in a URL ("" = all addresses when listening, loopback when dialling) and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** The key and where it came from. */
export interface TunnelKey {
  readonly secret: Secret;
  /** `port`: derived from the tunnel port's digits, no secret at all. */
  readonly origin: "url" | "file" | "port";
}

/** Which protocols of visitors are refused. */
export interface BlockedProtocols {
  readonly socks: boolean;
  readonly http: boolean;
  readonly tls: boolean;
}

/** Numbers and switches of the environment (`NP_*`), read once at start. */
export interface Settings {
  /** NP_SEMAPHORE_LIMIT: default of `slot`. */
  readonly slotLimit: number;
  /** NP_TCP_DATA_BUF_SIZE: largest relay buffer. */
  readonly tcpBufferBytes: number;
  /** NP_UDP_DATA_BUF_SIZE: largest datagram. */
  readonly udpBufferBytes: number;
  readonly handshakeTimeoutMs: number;
  readonly tcpDialTimeoutMs: number;
  readonly udpDialTimeoutMs: number;
  /** NP_UDP_READ_TIMEOUT: expiry of a UDP session. */
  readonly udpSessionMs: number;
  readonly poolGetTimeoutMs: number;
  readonly minPoolIntervalMs: number;
  readonly maxPoolIntervalMs: number;
  readonly reportIntervalMs: number;
  readonly serviceCooldownMs: number;
  readonly shutdownTimeoutMs: number;
  readonly reloadIntervalMs: number;
  readonly stateDir: string | null;
  readonly keyFile: string | null;
  /** NP_ENGINES; null = CPU count. */
  readonly engines: number | null;
  readonly workers: number;
  readonly requireKey: boolean;
  readonly allowPortKey: boolean;
  readonly allowLinkLocal: boolean;
}

/** Members that both roles have. */
interface TunnelConfigBase {
  readonly key: TunnelKey;
  readonly tunnel: HostPort;
  readonly targets: readonly HostPort[];
  readonly log: LogLevel;
  readonly wire: "secure" | "1.14";
  readonly transport: "tcp" | "websocket";
  /** Path of WebSocket links. */
  readonly path: string;
  /** Idle limit of a TCP session and expiry of a UDP session; 0 = none (UDP: the default of the settings). */
  readonly readMs: number;
  /** 0 = unlimited. */
  readonly rateBytesPerSecond: number;
  /** Sessions at once, TCP + UDP; 0 = unlimited. */
  readonly slots: number;
  readonly proxy: "none" | "v1" | "v2";
  readonly block: BlockedProtocols;
  readonly tcp: boolean;
  readonly udp: boolean;
  /** Source address for dialling targets; null = the system chooses. */
  readonly dialFrom: string | null;
  readonly dnsTtlMs: number;
  readonly balance: "round_robin" | "least_connections" | "source_hash";
  readonly allow: readonly Cidr[];
  readonly deny: readonly Cidr[];
  readonly settings: Settings;
}

/** Paths of a PEM chain and its key. */
export interface CertificateFiles {
  readonly chain: string;
  readonly key: string;
}

/** `server://` */
export interface ServerConfig extends TunnelConfigBase {
  readonly role: "server";
  /** `auto`: reverse when the target address can be bound, else forward. */
  readonly mode: "auto" | "reverse" | "forward";
  readonly tls:
    | { readonly kind: "plain" }
    | { readonly kind: "derived" }
    | { readonly kind: "files"; readonly files: CertificateFiles };
  /** Upper bound of ready links per client. */
  readonly maxLinks: number;
  readonly maxClients: number;
  readonly trusted: readonly Cidr[];
}

/** `client://` */
export interface ClientConfig extends TunnelConfigBase {
  readonly role: "client";
  /** `auto`: single when the tunnel address can be bound, else dual. */
  readonly mode: "auto" | "single" | "dual";
  /** `discover`: what the server proves. */
  readonly tls: "discover" | "derived" | "files";
  /** Extra trust roots (path of a PEM file) for `tls=2`; null = system roots alone. */
  readonly extraCa: string | null;
  /** Name sent and verified with `tls=2`. */
  readonly serverName: string;
  /** Links kept ready. */
  readonly minLinks: number;
}

/** One tunnel instance. */
export type TunnelConfig = ServerConfig | ClientConfig;
