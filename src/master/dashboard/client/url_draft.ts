/**
 * A tunnel URL while somebody works on it: its parts, complete or not.
 *
 * @module
 */
import { parametersOf } from "../../../config/parameters.ts";
import { defaultSettings } from "../../../config/settings.ts";
import { parseTunnelUrl } from "../../../config/tunnel_url.ts";
import { encodeValue, type QueryEntry, splitUrl } from "../../../config/url_text.ts";

/** What kind of tunnel it is: a forwarder is a client without a server. */
export type Kind = "server" | "client" | "forwarder";

/** The parts. */
export interface UrlDraft {
  kind: Kind;
  /** "" when there is none. */
  key: string;
  /** `host:port`. */
  tunnel: string;
  /** One or more `host:port`, with commas. */
  targets: string;
  /** Values by name; absent means the default. */
  readonly values: Map<string, string>;
  /** What no parameter is named, kept as it is. */
  unknown: readonly QueryEntry[];
}

/** What is to be said about a draft. */
export interface Verdict {
  /** Why the master would refuse it. */
  readonly findings: readonly string[];
  /** What it would accept and is probably not meant. */
  readonly warnings: readonly string[];
}

/** A draft with nothing in it. */
export function emptyDraft(kind: Kind): UrlDraft {
  return { kind, key: "", tunnel: "", targets: "", values: new Map(), unknown: [] };
}

/** The scheme of a kind. */
export function schemeOf(kind: Kind): "server" | "client" {
  return kind === "server" ? "server" : "client";
}

/** The parts of a URL, or null when it is not the URL of a tunnel. */
export function readDraft(url: string): UrlDraft | null {
  const parts = splitUrl(url);
  if (parts === null || parts.scheme !== "server" && parts.scheme !== "client") return null;
  const names = new Set(parametersOf(parts.scheme).map((parameter) => parameter.name));
  const draft = emptyDraft(parts.scheme);
  const unknown: QueryEntry[] = [];
  for (const { name, value } of parts.query) {
    const known = name === "cert" ? "crt" : name;
    if (!names.has(known)) unknown.push({ name, value });
    else if (value !== null && value !== "") draft.values.set(known, value);
  }
  if (parts.scheme === "client" && draft.values.get("mode") === "1") draft.kind = "forwarder";
  return { ...draft, key: parts.key ?? "", tunnel: parts.address, targets: parts.path ?? "", unknown };
}

/** The URL of a draft: parameters in the order in which they are documented, defaults left out. */
export function writeUrl(draft: UrlDraft): string {
  const scheme = schemeOf(draft.kind);
  const query = parametersOf(scheme).flatMap(({ name }) => {
    const value = draft.values.get(name)?.trim() ?? "";
    return value === "" ? [] : [`${name}=${encodeValue(value)}`];
  });
  for (const { name, value } of draft.unknown) {
    query.push(encodeURIComponent(name) + (value === null ? "" : `=${encodeValue(value)}`));
  }
  const key = draft.key === "" ? "" : `${encodeURIComponent(draft.key)}@`;
  const tail = query.length === 0 ? "" : `?${query.join("&")}`;
  return `${scheme}://${key}${draft.tunnel.trim()}/${draft.targets.replaceAll(/\s/g, "")}${tail}`;
}

/** What the master would say about a URL. */
export function judge(url: string): Verdict {
  try {
    const { warnings } = parseTunnelUrl(url, { settings: defaultSettings, strict: false });
    return { findings: [], warnings };
  } catch (error) {
    return { findings: error instanceof Error ? error.message.split("\n") : [String(error)], warnings: [] };
  }
}

/** The URL for the client of a server, as seen from `host`; null when this is no server or has no readable URL. */
export function clientUrlFor(url: string, host: string): string | null {
  const draft = readDraft(url);
  if (draft === null || draft.kind !== "server") return null;
  const match = /^(.*):(\d+)$/.exec(draft.tunnel);
  if (match === null) return null;
  const [, listened = "", port = ""] = match;
  const everywhere = listened === "" || listened === "0.0.0.0" || listened === "[::]";
  const client = emptyDraft("client");
  for (const name of ["type", "path", "wire", "notcp", "noudp"]) {
    const value = draft.values.get(name);
    if (value !== undefined) client.values.set(name, value);
  }
  client.values.set("mode", "2");
  return writeUrl({
    ...client,
    key: draft.key,
    tunnel: `${everywhere ? host : listened}:${port}`,
    targets: "127.0.0.1:8080",
  });
}
