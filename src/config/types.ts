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
  /** IP, name or "". */
  readonly host: string;
  /** From 0 to 65535; 0 lets the system choose where one listens. */
  readonly port: number;
}

/** The key and where it came from. */
export interface TunnelKey {
  /** The key itself. */
  readonly secret: Secret;
  /** `port`: derived from the tunnel port's digits, no secret at all. */
  readonly origin: "url" | "file" | "port";
}

/** Which protocols of visitors are refused. */
export interface BlockedProtocols {
  /** SOCKS4 and SOCKS5. */
  readonly socks: boolean;
  /** HTTP/1 and HTTP/2. */
  readonly http: boolean;
  /** TLS. */
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
  /** NP_HANDSHAKE_TIMEOUT: limit of a handshake, in ms. */
  readonly handshakeTimeoutMs: number;
  /** NP_TCP_DIAL_TIMEOUT: limit of dialling a TCP target, in ms. */
  readonly tcpDialTimeoutMs: number;
  /** NP_UDP_DIAL_TIMEOUT: limit of opening a UDP target, in ms. */
  readonly udpDialTimeoutMs: number;
  /** NP_UDP_READ_TIMEOUT: expiry of a UDP session. */
  readonly udpSessionMs: number;
  /** NP_POOL_GET_TIMEOUT: how long a visitor waits for a link, in ms. */
  readonly poolGetTimeoutMs: number;
  /** NP_MIN_POOL_INTERVAL: shortest pause between bursts of new links, in ms. */
  readonly minPoolIntervalMs: number;
  /** NP_MAX_POOL_INTERVAL: quiet time before surplus links are closed, in ms. */
  readonly maxPoolIntervalMs: number;
  /** NP_REPORT_INTERVAL: time between checkpoints, in ms. */
  readonly reportIntervalMs: number;
  /** NP_SERVICE_COOLDOWN: pause before the command starts a tunnel again that failed while running, in ms. */
  readonly serviceCooldownMs: number;
  /** NP_SHUTDOWN_TIMEOUT: how long sessions may go on after a stop, in ms. */
  readonly shutdownTimeoutMs: number;
  /** NP_RELOAD_INTERVAL: time between reads of certificate files, in ms. */
  readonly reloadIntervalMs: number;
  /** NP_STATE_DIR; null = the default place. */
  readonly stateDir: string | null;
  /** NP_KEY_FILE: path of the file with the tunnel key. */
  readonly keyFile: string | null;
  /** NP_ENGINES; null = CPU count. */
  readonly engines: number | null;
  /** NP_WORKERS: threads that serve one instance together; null = CPU count. */
  readonly workers: number | null;
  /** NP_REQUIRE_KEY: a short or missing key off loopback is an error. */
  readonly requireKey: boolean;
  /** NP_ALLOW_PORT_KEY: run without a key off loopback. */
  readonly allowPortKey: boolean;
  /** NP_ALLOW_LINK_LOCAL: dial link-local targets too (metadata services of clouds live there). */
  readonly allowLinkLocal: boolean;
}

/** Members that both roles have. */
export interface TunnelConfigBase {
  /** The key of the tunnel. */
  readonly key: TunnelKey;
  /** Where the server listens and the client connects. */
  readonly tunnel: HostPort;
  /** The services, or on the end with the visitors the addresses to listen on. */
  readonly targets: readonly HostPort[];
  /** Lowest level that is logged. */
  readonly log: LogLevel;
  /** Dialect between the two ends. */
  readonly wire: "secure" | "1.14";
  /** What links run on. */
  readonly transport: "tcp" | "websocket";
  /** Path of WebSocket links. */
  readonly path: string;
  /** Idle limit of a TCP session and expiry of a UDP session; 0 = none (UDP: the default of the settings). */
  readonly readMs: number;
  /** 0 = unlimited. */
  readonly rateBytesPerSecond: number;
  /** Sessions at once, TCP + UDP; 0 = unlimited. */
  readonly slots: number;
  /** PROXY protocol header that the target gets. */
  readonly proxy: "none" | "v1" | "v2";
  /** Protocols that visitors may not speak. */
  readonly block: BlockedProtocols;
  /** Whether TCP is served. */
  readonly tcp: boolean;
  /** Whether UDP is served. */
  readonly udp: boolean;
  /** Source address for dialling targets; null = the system chooses. */
  readonly dialFrom: string | null;
  /** How long resolved names are kept, in ms. */
  readonly dnsTtlMs: number;
  /** How one of several targets is chosen. */
  readonly balance: "round_robin" | "least_connections" | "source_hash";
  /** Only visitors from these addresses; empty = all. */
  readonly allow: readonly Cidr[];
  /** No visitors from these addresses; wins over `allow`. */
  readonly deny: readonly Cidr[];
  /** The environment that the configuration was read under. */
  readonly settings: Settings;
}

/** Paths of a PEM chain and its key. */
export interface CertificateFiles {
  /** PEM chain, the leaf first. */
  readonly chain: string;
  /** PEM private key. */
  readonly key: string;
}

/** What a `server://` URL says. */
export interface ServerConfig extends TunnelConfigBase {
  /** Tells the two kinds of configuration apart. */
  readonly role: "server";
  /** `auto`: reverse when the target address can be bound, else forward. */
  readonly mode: "auto" | "reverse" | "forward";
  /** How the tunnel port is protected: not at all, by an identity made from the key, or by certificate files. */
  readonly tls:
    | { readonly kind: "plain" }
    | { readonly kind: "derived" }
    | { readonly kind: "files"; readonly files: CertificateFiles };
  /** Upper bound of ready links per client. */
  readonly maxLinks: number;
  /** Clients at once. */
  readonly maxClients: number;
  /** Proxies in front of the tunnel port, exempt from limits per address. */
  readonly trusted: readonly Cidr[];
}

/** What a `client://` URL says. */
export interface ClientConfig extends TunnelConfigBase {
  /** Tells the two kinds of configuration apart. */
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
