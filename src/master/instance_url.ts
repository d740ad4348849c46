/**
 * What the URL of an instance turns into under a master: the complete configuration, with what it inherits.
 *
 * @module
 */
import { goodKeyLength } from "../config/key.ts";
import type { MasterConfig } from "../config/master_url.ts";
import { fullUrl, parseTunnelUrl } from "../config/tunnel_url.ts";
import type { Settings, TunnelConfig } from "../config/types.ts";
import { encodeValue, splitUrl, type UrlText } from "../config/url_text.ts";
import { messageOf } from "../errors.ts";
import { ApiError } from "../http/api_error.ts";

/** Longest URL of an instance: events must stay small. */
const MAX_URL_BYTES = 4096;

/** What instances get from their master where their own URL says nothing. */
export interface Inheritance extends Pick<MasterConfig, "log" | "tls"> {
  readonly wire: NonNullable<MasterConfig["wire"]>;
}

/** A URL that was accepted. */
export interface InstanceUrl {
  readonly type: "client" | "server";
  /** With every default filled in, and the key. */
  readonly config: string;
  /** The key is short, or made from the port. */
  readonly weakKey: boolean;
  /** What is probably not meant; without the key. */
  readonly warnings: readonly string[];
}

/**
 * Reads the URL of an instance.
 *
 * @throws {ApiError} 400 with everything that is not acceptable
 */
export function readInstanceUrl(url: string, inherited: Inheritance, settings: Settings): InstanceUrl {
  if (url.trim() === "") throw new ApiError(400, "Invalid request body");
  if (new TextEncoder().encode(url).length > MAX_URL_BYTES) {
    throw new ApiError(400, `Instance URL exceeds maximum length ${MAX_URL_BYTES}`);
  }
  const parts = url.isWellFormed() ? splitUrl(url) : null;
  if (parts === null || isBadlyEscaped(parts)) throw new ApiError(400, "Invalid URL format");
  if (parts.scheme !== "server" && parts.scheme !== "client") throw new ApiError(400, "Invalid URL scheme");
  // A missing key under NP_REQUIRE_KEY is the run's failure: the instance is made, and its status says so.
  const lenient = { settings: { ...settings, requireKey: false }, strict: false };
  try {
    const { config, warnings } = parseTunnelUrl(withInherited(url.trim(), parts, inherited), lenient);
    return {
      type: parts.scheme,
      config: fullUrl(config, { redact: false }),
      weakKey: isWeak(config),
      warnings: warnings.map((warning) => warning),
    };
  } catch (error) {
    throw new ApiError(400, `Invalid URL: ${messageOf(error).replaceAll("\n", "; ")}`);
  }
}

/**
 * What a stored URL that is not acceptable any more is run with: its run then says why. What it inherits goes along, so
 * that nothing runs by accident as what it is not.
 */
export function unreadableUrl(url: string, inherited: Inheritance): Omit<InstanceUrl, "warnings"> {
  const parts = splitUrl(url);
  const config = parts === null ? url : withInherited(url.trim(), parts, inherited);
  return { type: parts?.scheme === "server" ? "server" : "client", config, weakKey: false };
}

/** The wire that a URL names; null when it names none, or is none. */
export function namedWire(url: string): string | null {
  const named = splitUrl(url)?.query.filter(({ name, value }) => name === "wire" && value !== "" && value !== null);
  return named?.at(-1)?.value ?? null;
}

/** A "%" that begins no escape cannot be part of an address. */
function isBadlyEscaped({ address }: UrlText): boolean {
  return /%(?![0-9A-Fa-f]{2})/.test(address.replace(/^\[[^\]]*\]/, ""));
}

function isWeak({ key, mode }: TunnelConfig): boolean {
  if (mode === "single") return false;
  return key.origin === "port" || key.secret.reveal().length < goodKeyLength;
}

function withInherited(url: string, { scheme, query }: UrlText, { log, tls, wire }: Inheritance): string {
  const values = new Map(query.filter(({ value }) => value !== "" && value !== null).map((e) => [e.name, e.value]));
  const added: [string, string][] = [];
  if (!values.has("log")) added.push(["log", log]);
  if (!values.has("wire") && wire !== "secure") added.push(["wire", wire]);
  // Never a downgrade: a master without TLS says nothing about its servers.
  if (scheme === "server" && tls.kind !== "plain") {
    if (!values.has("tls")) added.push(["tls", tls.kind === "derived" ? "1" : "2"]);
    if (tls.kind === "files" && (values.get("tls") ?? "2") === "2") {
      if (!values.has("crt") && !values.has("cert")) added.push(["crt", tls.files.chain]);
      if (!values.has("key")) added.push(["key", tls.files.key]);
    }
  }
  if (added.length === 0) return url;
  const text = added.map(([name, value]) => `${name}=${encodeValue(value)}`).join("&");
  return `${url}${url.includes("?") ? "&" : "?"}${text}`;
}
