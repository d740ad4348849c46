/**
 * Where a call comes from when there are proxies in front.
 *
 * @module
 */
import { anyContains, type Cidr } from "../address/cidr.ts";
import { isIp, normalizeIp } from "../address/ip.ts";

/** No honest chain of proxies is longer. */
const LONGEST_CHAIN = 32;

/**
 * The address that a call comes from, canonical.
 *
 * @param remote the other end of the connection
 * @param forwarded the header `X-Forwarded-For`; it counts only as far as trusted proxies wrote it
 */
export function clientAddress(remote: string, forwarded: string | null, trusted: readonly Cidr[]): string {
  let address = normalizeIp(remote);
  if (forwarded === null || trusted.length === 0) return address;
  const hops = forwarded.split(",").slice(-LONGEST_CHAIN);
  while (anyContains(trusted, address)) {
    const hop = hops.pop()?.trim() ?? "";
    // A port belongs to the connection, not to the client.
    const ip = normalizeIp(/^\[(.+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop);
    if (!isIp(ip)) break;
    address = ip;
  }
  return address;
}
