/**
 * The tunnel key: given, read from a file, or made from the port, and whether that is good enough.
 *
 * @module
 */
import { isUnspecified } from "../address/ip.ts";
import { formatHostPort, isLoopbackHost } from "./host_port.ts";
import { Secret } from "./secret.ts";
import type { HostPort, Settings, TunnelKey } from "./types.ts";

/** Keys shorter than this get a warning where other machines can try them. */
export const goodKeyLength = 16;

/** What the rules about keys depend on. */
export interface KeyQuestion {
  readonly role: "server" | "client";
  /** A client that never has a server needs no key. */
  readonly single: boolean;
  /** Whether `mode` stands in the URL. */
  readonly modeGiven: boolean;
  readonly wire: "secure" | "1.14";
  readonly tunnel: HostPort;
  readonly urlKey: string | null;
  /** Content of the file that NP_KEY_FILE names. */
  readonly fileKey: string | null;
  readonly settings: Settings;
  readonly strict: boolean;
  /** The URL as written, to show the command to run instead. */
  readonly url: string;
}

/** The key, and what is to be said about it. */
export interface KeyAnswer {
  readonly key: TunnelKey;
  readonly finding: string | null;
  /** Completes the finding with the command to run instead, when nothing else is wrong with the URL. */
  readonly remedy: string | null;
  readonly warning: string | null;
}

/** Decides on the key of a URL. */
export function chooseKey(question: KeyQuestion): KeyAnswer {
  const { urlKey, fileKey } = question;
  if (urlKey !== null) return judge(question, { secret: new Secret(urlKey), origin: "url" });
  if (fileKey !== null) return judge(question, { secret: new Secret(fileKey), origin: "file" });
  const key: TunnelKey = { secret: new Secret(portKey(question.tunnel.port)), origin: "port" };
  return question.single ? accept(key) : judgeMissing(question, key);
}

/**
 * The key that stands in for a missing one, as the Go program makes it: FNV-1a-32 over the port's digits in lower-case
 * hex. Anybody can compute it.
 */
export function portKey(port: number): string {
  let hash = 0x811c9dc5;
  for (const digit of String(port)) hash = Math.imul(hash ^ digit.charCodeAt(0), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

function accept(key: TunnelKey, warning: string | null = null): KeyAnswer {
  return { key, finding: null, remedy: null, warning };
}

function judge(question: KeyQuestion, key: TunnelKey): KeyAnswer {
  if (question.single || !isExposed(question) || key.secret.reveal().length >= goodKeyLength) return accept(key);
  const text =
    `Tunnel key has fewer than ${goodKeyLength} characters and can be guessed: make one with "nodepass keygen"`;
  if (!question.settings.requireKey) return accept(key, text);
  return { key, finding: `${text} (NP_REQUIRE_KEY is 1)`, remedy: null, warning: null };
}

function judgeMissing(question: KeyQuestion, key: TunnelKey): KeyAnswer {
  const { settings, wire, strict, tunnel } = question;
  const exposed = isExposed(question);
  const address = formatHostPort(tunnel);
  if (exposed && settings.requireKey) {
    return { key, finding: "Tunnel key is missing (NP_REQUIRE_KEY is 1)", remedy: remedy(question), warning: null };
  }
  if (exposed && wire === "secure" && strict && !settings.allowPortKey) {
    return {
      key,
      finding: `Tunnel key is missing and ${address} is not a loopback address`,
      remedy: `${remedy(question)}; NP_ALLOW_PORT_KEY=1 runs without a secret`,
      warning: null,
    };
  }
  const noSecret =
    `Tunnel key is missing: the one made from port ${tunnel.port} is no secret, anybody can use ${address}; ` +
    'make one with "nodepass keygen"';
  return accept(key, exposed || wire === "1.14" ? noSecret : null);
}

/** Whether machines other than this one can be at the tunnel address. */
function isExposed({ role, tunnel }: KeyQuestion): boolean {
  if (isLoopbackHost(tunnel.host)) return false;
  // A client dials its own machine there, a server listens on all addresses.
  return role === "server" || !isUnspecified(tunnel.host);
}

function remedy({ role, url, modeGiven }: KeyQuestion): string {
  const [scheme = "", rest = ""] = splitOnce(url.trim(), "://");
  const keyless = rest.replace(/^@/, "");
  if (role === "server") {
    const command = `key=$(nodepass keygen) && echo "$key" && nodepass "${scheme}://$key@${shellText(keyless)}"`;
    return `run  ${command}  and give clients the key that it shows`;
  }
  const single = `${scheme}://${keyless}${keyless.includes("?") ? "&" : "?"}mode=1`;
  return `run  nodepass "${scheme}://KEY@${shellText(keyless)}"  with the server's key for KEY` +
    (modeGiven ? "" : `, or  nodepass "${shellText(single)}"  to forward without a server`);
}

function splitOnce(text: string, separator: string): string[] {
  const index = text.indexOf(separator);
  return [text.slice(0, index), text.slice(index + separator.length)];
}

/** Text that means itself between double quotes of a POSIX shell. */
function shellText(text: string): string {
  return text.replace(/["$`\\]/g, "\\$&");
}
