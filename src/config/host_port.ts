/**
 * `host:port` as it stands in a tunnel URL.
 *
 * @module
 */
import { isIp, isLoopback, isUnspecified, normalizeIp, parseIp } from "../address/ip.ts";
import type { HostPort } from "./types.ts";

/** What {@linkcode parseHostPort} accepts, in words. */
export const hostPortAccepted = 'host:port with a port from 0 to 65535, an IPv6 address in brackets, e.g. "[::1]:8080"';

/** A host ("" = none given; IPv6 in brackets) and a port, or null. */
export function parseHostPort(text: string): HostPort | null {
  const match = /^(\[[^\]]*\]|[^:[\]]*):(0|[1-9]\d{0,4})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[2]);
  if (port > 65_535) return null;
  const host = parseHost(match[1] ?? "");
  return host === null ? null : Object.freeze({ host, port });
}

function parseHost(text: string): string | null {
  if (!text.startsWith("[")) return text === "" || isIp(text) || isName(text) ? text : null;
  const host = text.slice(1, -1);
  if (!host.includes(":") || !isIp(host)) return null;
  const zone = host.indexOf("%");
  if (zone !== -1 && !/^[\w.~-]+$/.test(host.slice(zone + 1))) return null;
  return host;
}

/** Whether `text` is a host name (ASCII; labels of 1 to 63 characters; `_` allowed). */
export function isName(text: string): boolean {
  if (text.length > 253) return false;
  const labels = text.replace(/\.$/, "").split(".");
  if (!labels.every((label) => /^\w(?:[\w-]{0,61}\w)?$/.test(label))) return false;
  // System resolvers read "127.1" and "0x7f000001" as addresses, which would pass every check of literal IPs.
  return !/^(\d+|0[xX][0-9a-fA-F]*)$/.test(labels.at(-1) ?? "");
}

/** The text that {@linkcode parseHostPort} reads as this address, the zone of an IPv6 address percent-encoded. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host.replace("%", "%25")}]:${port}` : `${host}:${port}`;
}

/** Whether the host is this machine alone: a loopback address or `localhost`. */
export function isLoopbackHost(host: string): boolean {
  return isLoopback(host) || /^localhost\.?$/i.test(host);
}

/** Whether the host is a name, so that it has to be resolved. */
export function isHostName(host: string): boolean {
  return host !== "" && !isIp(host);
}

/** Whether what is sent to one address reaches a listener on the other: same port, both on this machine alone. */
export function meetsLocally(a: HostPort, b: HostPort): boolean {
  if (a.port === 0 || a.port !== b.port) return false;
  if (!isLocal(a.host) || !isLocal(b.host)) return false;
  if (!families(a.host).some((family) => families(b.host).includes(family))) return false;
  return !isLoopback(a.host) || !isLoopback(b.host) || normalizeIp(a.host) === normalizeIp(b.host);
}

function isLocal(host: string): boolean {
  return isUnspecified(host) || isLoopbackHost(host);
}

/** A listener on `::` takes IPv4 too; `localhost` may be either. */
function families(host: string): readonly number[] {
  const bytes = parseIp(host);
  if (bytes?.length === 4) return [4];
  return bytes !== null && isLoopback(host) ? [16] : [4, 16];
}
