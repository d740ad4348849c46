/**
 * Which addresses Core dials when somebody else chose them.
 *
 * @module
 */
import { anyContains, type Cidr, parseCidr } from "../../address/cidr.ts";
import { normalizeIp } from "../../address/ip.ts";

function list(...texts: readonly string[]): readonly Cidr[] {
  return texts.map((text) => {
    const cidr = parseCidr(text);
    if (cidr === null) throw new RangeError(`Not a network: ${text}`);
    return cidr;
  });
}

/** Never: this machine, its links (and the metadata services there), groups, everything that is no place (RFC 6890). */
const NEVER = list(
  ...["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15"],
  ...["198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
  ...["::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16", "fe80::/10"],
  ...["ff00::/8", "fd00:ec2::/32"],
);
/** Only where it was allowed: networks behind the same door (RFC 1918, RFC 6598, RFC 4193). */
const PRIVATE = list("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7");
const LOOPBACK = list("127.0.0.0/8", "::1/128");

/** How an address is seen. */
export type AddressKind = "public" | "private" | "loopback" | "forbidden";

/** What kind of address a literal IP is. */
export function addressKind(ip: string): AddressKind {
  const canonical = normalizeIp(ip);
  if (anyContains(LOOPBACK, canonical)) return "loopback";
  if (anyContains(NEVER, canonical)) return "forbidden";
  return anyContains(PRIVATE, canonical) ? "private" : "public";
}

/**
 * Whether Core may dial it.
 *
 * @param allowPrivate private addresses too, and this machine: for a fleet in one network
 */
export function mayDial(ip: string, allowPrivate: boolean): boolean {
  const kind = addressKind(ip);
  return kind === "public" || (allowPrivate && (kind === "private" || kind === "loopback"));
}
