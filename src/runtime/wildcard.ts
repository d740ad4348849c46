/**
 * Which addresses "listen everywhere" means.
 *
 * @module
 */
import { normalizeIp } from "../address/ip.ts";
import type { SocketAddress } from "./types.ts";

/** Codes by which a machine without IPv6 answers to `::`. */
const noIpv6 = new Set(["EAFNOSUPPORT", "EADDRNOTAVAIL", "EINVAL"]);

/** Opens on `host`; "" means `::` with IPv4 included, or `0.0.0.0` on a machine without IPv6. */
export async function openOn<T>(host: string, open: (host: string) => T | Promise<T>): Promise<T> {
  if (host !== "") return await open(host);
  try {
    return await open("::");
  } catch (error) {
    if (!noIpv6.has(String((error as { code?: unknown }).code))) throw error;
    return await open("0.0.0.0");
  }
}

/** Address with its IPv4-mapped form undone, so that limits and lists see one spelling. */
export function socketAddress(host: string | undefined, port: number | undefined): SocketAddress {
  const text = host ?? "";
  return { host: text.includes(":") ? normalizeIp(text) : text, port: port ?? 0 };
}
