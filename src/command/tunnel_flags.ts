/**
 * A tunnel said with flags: one per parameter, on top of a URL or without one.
 *
 * @module
 */
import { isIp } from "../address/ip.ts";
import { parametersOf } from "../config/parameters.ts";
import { encodeValue, splitUrl, type UrlText } from "../config/url_text.ts";
import { NodePassError } from "../errors.ts";
import type { Arguments, Flag } from "./flags.ts";

/** The two kinds of tunnels. */
export type TunnelRole = "server" | "client";

/** How log lines look. */
export const logFormatFlag: Flag = {
  name: "log-format",
  placeholder: "text|json",
  meaning: "form of log lines",
  values: ["text", "json"],
};

const addressFlags: readonly Flag[] = [
  { name: "tunnel-host", placeholder: "host", meaning: "host of the tunnel address; none: all addresses of a server" },
  { name: "tunnel-port", placeholder: "port", meaning: "port of the tunnel address" },
  {
    name: "tunnel-key",
    placeholder: "key",
    meaning: "key of the tunnel (arguments show in process lists: see NP_KEY_FILE)",
  },
  { name: "target", placeholder: "host:port", meaning: "target address; several times or with commas for several" },
];

/** The flags of `nodepass server` or `nodepass client`, and of a URL with that scheme. */
export function tunnelFlags(role: TunnelRole): readonly Flag[] {
  const parameters = parametersOf(role).map(({ name, placeholder, meaning, values }): Flag => ({
    name,
    placeholder,
    meaning,
    ...(values === undefined ? {} : { values }),
    file: name === "crt" || name === "key",
  }));
  return [...addressFlags, ...parameters, logFormatFlag];
}

/**
 * The URL of a command line: the given one with what flags say in place of what it says.
 *
 * @throws {NodePassError} code `usage` when there is too little to make a URL from
 */
export function urlFromFlags(role: TunnelRole, url: string | null, { flags }: Arguments): string {
  const overriding = [...flags.keys()].some((name) => name !== logFormatFlag.name && name !== "help");
  if (url !== null && !overriding) return url;
  const parts = url === null ? emptyUrl(role) : splitUrl(url);
  // The parser words the complaint about a URL that cannot be split.
  if (parts === null) return url ?? "";
  const last = (name: string): string | undefined => flags.get(name)?.at(-1);
  const key = last("tunnel-key") ?? parts.key;
  const address = tunnelAddress(parts.address, last("tunnel-host"), last("tunnel-port"));
  const target = flags.get("target")?.join(",") ?? parts.path ?? "";
  const query = parts.query
    .filter(({ name }) => !flags.has(name === "cert" ? "crt" : name))
    .map(({ name, value }) =>
      value === null ? encodeURIComponent(name) : `${encodeURIComponent(name)}=${encodeValue(value)}`
    );
  for (const { name } of parametersOf(role)) {
    const value = last(name);
    if (value !== undefined) query.push(`${name}=${encodeValue(value)}`);
  }
  return `${parts.scheme}://${key === null ? "" : `${encodeURIComponent(key)}@`}${address}/${target}` +
    (query.length === 0 ? "" : `?${query.join("&")}`);
}

function emptyUrl(role: TunnelRole): UrlText {
  return { scheme: role, key: null, address: "", path: null, query: [] };
}

function tunnelAddress(address: string, host: string | undefined, port: string | undefined): string {
  const colon = address.lastIndexOf(":");
  const newPort = port ?? (colon === -1 ? undefined : address.slice(colon + 1));
  if (newPort === undefined) {
    throw new NodePassError("usage", "Flag --tunnel-port is missing: expected a port from 0 to 65535, or a tunnel URL");
  }
  const newHost = host ?? (colon === -1 ? "" : address.slice(0, colon));
  return `${newHost.includes(":") && isIp(newHost) ? `[${newHost.replace("%", "%25")}]` : newHost}:${newPort}`;
}
