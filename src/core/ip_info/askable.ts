/**
 * Which addresses providers are asked about.
 *
 * @module
 */
import { anyContains, type Cidr, parseCidr } from "../../address/cidr.ts";
import { parseIp } from "../../address/ip.ts";
import { addressKind } from "../outbound/address_rules.ts";

/** Inside the range of public IPv6 addresses, and yet no place: benchmarks, hashes of keys, documentation. */
const NO_PLACE = ["2001:2::/48", "2001:10::/28", "2001:20::/28", "3fff::/20"].map(parseCidr)
  .filter((cidr): cidr is Cidr => cidr !== null);

/** Whether somebody else may know about it: never a private or reserved one. */
export function isAskable(ip: string): boolean {
  const bytes = parseIp(ip);
  if (bytes === null || addressKind(ip) !== "public") return false;
  // All IPv6 addresses that were ever given to anybody begin with these three bits (2000::/3).
  return bytes.length === 4 || ((bytes[0] ?? 0) & 0xe0) === 0x20 && !anyContains(NO_PLACE, ip);
}
