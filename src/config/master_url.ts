/**
 * `master://` URLs: where a master listens and what its instances inherit.
 *
 * @module
 */
import { NodePassError } from "../errors.ts";
import type { LogLevel } from "../log/types.ts";
import { serverTls } from "./build.ts";
import { hostPortAccepted, parseHostPort } from "./host_port.ts";
import { ParameterReader, quote } from "./parameter_reader.ts";
import type { HostPort, ServerConfig } from "./types.ts";
import { splitUrl } from "./url_text.ts";

/** The configuration of a master. */
export interface MasterConfig {
  /** Tells it from the configuration of a tunnel. */
  readonly role: "master";
  /** Where the API listens; an empty host is all addresses. */
  readonly listen: HostPort;
  /** Path in front of every route: starts with "/", ends without one. */
  readonly prefix: string;
  /** Lowest level that is logged, by the master and by instances whose URL names none. */
  readonly log: LogLevel;
  /** `derived` is a self-signed certificate made at start: a master has no tunnel key. */
  readonly tls: ServerConfig["tls"];
  /** Wire of instances whose URL names none; null: `secure`, or `1.14` after an import from a Go master. */
  readonly wire: "secure" | "1.14" | null;
  /** `process`: every instance in a process of its own. */
  readonly isolation: "shared" | "process";
}

/** A master URL that was accepted. */
export interface ParsedMasterUrl {
  /** The configuration, complete and frozen. */
  readonly config: MasterConfig;
  /** What is accepted and probably not meant, for the log. */
  readonly warnings: string[];
}

/** Prefix of a URL that names none. */
const defaultPrefix = "/api";

/**
 * Reads a `master://[host]:port[/prefix][?query]` URL, strictly.
 *
 * @throws {NodePassError} code `usage`: everything that is not acceptable, one finding per line
 */
export function parseMasterUrl(url: string): ParsedMasterUrl {
  const parts = url.isWellFormed() ? splitUrl(url) : null;
  if (parts?.scheme !== "master") {
    const shown = url.includes("@") ? "" : ` ${quote(url)}`;
    throw new NodePassError("usage", `Cannot read master URL${shown}: expected master://[host]:port[/prefix]`);
  }
  const reader = new ParameterReader("master", parts.query, true);
  const findings: string[] = [];
  if (parts.key !== null) {
    findings.push("Master URL has a key before its @: expected none, a master makes its own API key");
  }
  const listen = parseHostPort(parts.address);
  if (listen === null) findings.push(`Master address is ${quote(parts.address)}: expected ${hostPortAccepted}`);
  const prefix = readPrefix(parts.path);
  if (prefix === null) {
    findings.push(
      `Prefix is ${quote(`/${parts.path}`)}: expected a path of letters, digits and - . _ ~ such as "/api"`,
    );
  }
  const config: MasterConfig = {
    role: "master",
    listen: listen ?? { host: "", port: 0 },
    prefix: prefix ?? defaultPrefix,
    log: reader.get("log", "info"),
    tls: serverTls(reader, "plain"),
    wire: reader.get("wire", null),
    isolation: reader.get("isolation", "shared"),
  };
  findings.push(...reader.findings);
  if (findings.length > 0) throw new NodePassError("usage", findings.join("\n"));
  return { config: Object.freeze(config), warnings: reader.warnings };
}

function readPrefix(path: string | null): string | null {
  const segments = (path ?? "").split("/").filter((segment) => segment !== "");
  if (segments.length === 0) return defaultPrefix;
  const plain = segments.every((segment) => /^[\w.~-]+$/.test(segment) && !/^\.+$/.test(segment));
  return plain ? `/${segments.join("/")}` : null;
}
