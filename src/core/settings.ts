/**
 * The environment of Core, read once at start.
 *
 * @module
 */
import { type Cidr, parseCidr } from "../address/cidr.ts";
import { isLoopback, normalizeIp } from "../address/ip.ts";
import { NodePassError } from "../errors.ts";
import { databaseOf, urlOf } from "./settings_urls.ts";

/** Who may register. */
export type RegistrationMode = "open" | "token" | "approval" | "closed";

/** Who is asked about addresses. */
export type IpInfoProviderName = "ipinfo" | "ip-api" | "mmdb" | "none";

/** Where Core keeps everything. */
export type DatabaseSetting =
  /** A file; an empty path is memory, for tests. */
  | { readonly kind: "sqlite"; readonly path: string }
  /** A `postgres:` URL, with its password. */
  | { readonly kind: "postgres"; readonly url: string };

/** Files of a TLS listener. */
export interface TlsSetting {
  /** PEM chain, the leaf first. */
  readonly certFile: string;
  /** PEM private key. */
  readonly keyFile: string;
  /** PEM of the authority whose certificates callers must show; null: they need none. */
  readonly clientCaFile: string | null;
}

/** What Core was told. Holds secrets: never logged. */
export interface CoreSettings {
  /** Literal address of both listeners; empty: all. */
  readonly host: string;
  /** Port of HTTP; 0 lets the system choose. */
  readonly port: number;
  /** Port of gRPC; 0 lets the system choose. */
  readonly grpcPort: number;
  /** Where everything is kept. */
  readonly database: DatabaseSetting;
  /** Null: online users are kept in the memory of this process. */
  readonly redisUrl: string | null;
  /** Who may register. */
  readonly registration: RegistrationMode;
  /** A join token that is always valid; null: those of the database alone. */
  readonly joinToken: string | null;
  /** Null: plaintext. */
  readonly tls: TlsSetting | null;
  /** Plaintext beyond this machine was asked for. */
  readonly insecure: boolean;
  /** How long somebody who is not reported any more is online. */
  readonly onlineTtlMs: number;
  /** A user who was not seen for longer than this comes online anew. */
  readonly userOnlineGapMs: number;
  /** Who is asked about addresses, and with what. */
  readonly ipInfo: {
    readonly provider: IpInfoProviderName;
    readonly ipinfoToken: string | null;
    readonly ipApiKey: string | null;
    readonly mmdbPath: string | null;
  };
  /** Nodes may have private addresses. */
  readonly allowPrivateNodes: boolean;
  /** Whose `X-Forwarded-For` counts. */
  readonly trustedProxies: readonly Cidr[];
  /** The secret; null: the one that lies beside the SQLite file. */
  readonly secret: string | null;
}

/** One variable, for help texts and permissions. */
export interface CoreVariable {
  readonly name: string;
  readonly meaning: string;
}

/** Every variable that Core reads, in the order of the help. */
export const coreVariables: readonly CoreVariable[] = [
  { name: "HOST", meaning: "address of both listeners; an empty one is all (127.0.0.1)" },
  { name: "PORT", meaning: "port of HTTP (3000)" },
  { name: "GRPC_PORT", meaning: "port of gRPC (3002)" },
  { name: "DATABASE_URL", meaning: "sqlite:<file> or postgres://... (sqlite:./data/core.db)" },
  { name: "REDIS_URL", meaning: "redis://... for online users of several replicas (memory)" },
  { name: "NODE_REGISTRATION", meaning: "open, token, approval or closed (open on loopback, else token)" },
  { name: "NODE_JOIN_TOKEN", meaning: "a join token that never ends" },
  { name: "TLS_CERT", meaning: "PEM chain of both listeners" },
  { name: "TLS_KEY", meaning: "PEM key of it" },
  { name: "TLS_CLIENT_CA", meaning: "PEM authority whose certificates callers must show" },
  { name: "CORE_INSECURE", meaning: "true: plaintext beyond this machine" },
  { name: "CORE_SECRET", meaning: "32 or more characters; made and kept beside SQLite, required with PostgreSQL" },
  { name: "ONLINE_TTL_S", meaning: "seconds after which nobody reported is nobody online (20)" },
  { name: "USER_ONLINE_GAP_MS", meaning: "pause after which a user comes online anew (10000)" },
  { name: "IP_INFO_PROVIDER", meaning: "ipinfo, ip-api, mmdb or none (none)" },
  { name: "IPINFO_TOKEN", meaning: "token of ipinfo" },
  { name: "IP_API_KEY", meaning: "key of ip-api" },
  { name: "MMDB_PATH", meaning: "file with address data" },
  { name: "ALLOW_PRIVATE_NODES", meaning: "true: nodes may have private addresses" },
  { name: "TRUSTED_PROXIES", meaning: "addresses and networks whose X-Forwarded-For counts" },
];

/**
 * Reads every variable; an unset or empty one keeps its default (an empty `HOST` is all addresses).
 *
 * @throws {NodePassError} code `usage`: every value that is not acceptable, one per line
 */
export function readCoreSettings(env: (name: string) => string | undefined): CoreSettings {
  const read = new Reader(env);
  const host = read.host("HOST", "127.0.0.1");
  const tls = tlsOf(read);
  const secret = read.text("CORE_SECRET");
  if (secret !== null && secret.length < 32) read.refuse("CORE_SECRET", null, "32 or more characters");
  const database = databaseOf(read.text("DATABASE_URL") ?? "sqlite:./data/core.db");
  if (database === null) {
    read.refuse("DATABASE_URL", null, '"sqlite:<file>" or "postgres://user:password@host/database"');
  }
  if (database?.kind === "postgres" && secret === null) {
    read.findings.push("Environment variable CORE_SECRET is missing: PostgreSQL needs it, the same for every replica");
  }
  const settings: CoreSettings = {
    host,
    port: read.integer("PORT", 3000, 0, 65_535),
    grpcPort: read.integer("GRPC_PORT", 3002, 0, 65_535),
    database: database ?? { kind: "sqlite", path: "" },
    redisUrl: read.url("REDIS_URL", ["redis:", "rediss:", "unix:"]),
    registration: read.oneOf(
      "NODE_REGISTRATION",
      ["open", "token", "approval", "closed"],
      isLoopback(host) ? "open" : "token",
    ),
    joinToken: read.text("NODE_JOIN_TOKEN"),
    tls,
    insecure: read.flag("CORE_INSECURE"),
    onlineTtlMs: read.integer("ONLINE_TTL_S", 20, 1, 3600) * 1000,
    userOnlineGapMs: read.integer("USER_ONLINE_GAP_MS", 10_000, 1, 86_400_000),
    ipInfo: ipInfoOf(read),
    allowPrivateNodes: read.flag("ALLOW_PRIVATE_NODES"),
    trustedProxies: read.networks("TRUSTED_PROXIES"),
    secret,
  };
  if (settings.joinToken !== null && settings.joinToken.length < 20) {
    read.refuse("NODE_JOIN_TOKEN", null, "20 or more characters");
  }
  if (!isLoopback(host) && tls === null && !settings.insecure) {
    read.findings.push(
      `Environment variable HOST is ${JSON.stringify(host)}, beyond this machine: set TLS_CERT and TLS_KEY, or ` +
        "CORE_INSECURE=true behind a proxy that speaks TLS",
    );
  }
  if (read.findings.length > 0) throw new NodePassError("usage", read.findings.join("\n"));
  return Object.freeze(settings);
}

function tlsOf(read: Reader): TlsSetting | null {
  const [certFile, keyFile] = [read.text("TLS_CERT"), read.text("TLS_KEY")];
  const clientCaFile = read.text("TLS_CLIENT_CA");
  if (certFile === null && keyFile === null) {
    if (clientCaFile !== null) read.findings.push("Environment variable TLS_CLIENT_CA needs TLS_CERT and TLS_KEY");
    return null;
  }
  if (certFile === null) read.findings.push("Environment variable TLS_CERT is missing: TLS_KEY is set");
  if (keyFile === null) read.findings.push("Environment variable TLS_KEY is missing: TLS_CERT is set");
  return { certFile: certFile ?? "", keyFile: keyFile ?? "", clientCaFile };
}

function ipInfoOf(read: Reader): CoreSettings["ipInfo"] {
  const provider = read.oneOf("IP_INFO_PROVIDER", ["ipinfo", "ip-api", "mmdb", "none"], "none");
  const mmdbPath = read.text("MMDB_PATH");
  if (provider === "mmdb" && mmdbPath === null) {
    read.findings.push("Environment variable MMDB_PATH is missing: IP_INFO_PROVIDER is mmdb");
  }
  return { provider, ipinfoToken: read.text("IPINFO_TOKEN"), ipApiKey: read.text("IP_API_KEY"), mmdbPath };
}

/** Takes values and collects what is wrong with them. */
class Reader {
  readonly findings: string[] = [];
  readonly #env: (name: string) => string | undefined;

  constructor(env: (name: string) => string | undefined) {
    this.#env = env;
  }

  /** Null: unset or empty. */
  text(name: string): string | null {
    return this.#env(name)?.trim() || null;
  }

  /** Values that may hold a secret are not repeated: null. */
  refuse(name: string, value: string | null, expected: string): void {
    const is = value === null ? "is not acceptable" : `is ${JSON.stringify(value)}`;
    this.findings.push(`Environment variable ${name} ${is}: expected ${expected}`);
  }

  host(name: string, otherwise: string): string {
    const text = this.#env(name)?.trim();
    if (text === undefined) return otherwise;
    if (text === "" || parseCidr(text) !== null && !text.includes("/")) return normalizeIp(text);
    this.refuse(name, text, "a literal IP address, or an empty text for all addresses");
    return otherwise;
  }

  integer(name: string, otherwise: number, min: number, max: number): number {
    const text = this.text(name);
    if (text === null) return otherwise;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    this.refuse(name, text, `an integer from ${min} to ${max}`);
    return otherwise;
  }

  oneOf<T extends string>(name: string, values: readonly T[], otherwise: T): T {
    const text = this.text(name);
    if (text === null) return otherwise;
    const value = values.find((each) => each === text);
    if (value === undefined) this.refuse(name, text, `one of ${values.join(", ")}`);
    return value ?? otherwise;
  }

  flag(name: string): boolean {
    const text = this.text(name);
    if (text === "true" || text === "1") return true;
    if (text !== null && text !== "false" && text !== "0") this.refuse(name, text, "true or false");
    return false;
  }

  url(name: string, schemes: readonly string[]): string | null {
    const text = this.text(name);
    if (text === null) return null;
    if (urlOf(text, schemes) === null) this.refuse(name, null, `a URL with ${schemes.join(" or ")}`);
    return text;
  }

  networks(name: string): Cidr[] {
    const found: Cidr[] = [];
    for (const part of (this.text(name) ?? "").split(",").map((each) => each.trim()).filter((each) => each !== "")) {
      const cidr = part === "none" ? undefined : parseCidr(part);
      if (cidr === null) this.refuse(name, part, 'addresses or networks with commas between, such as "10.0.0.0/8,::1"');
      else if (cidr !== undefined) found.push(cidr);
    }
    return found;
  }
}
