/**
 * Address ranges: `10.0.0.0/8`, `2001:db8::/32`, or one address.
 *
 * @module
 */
import { formatIp, parseIp } from "./ip.ts";

/** A range of addresses; the bits of `bytes` behind the prefix are zero. */
export interface Cidr {
  /** 4 bytes for IPv4, 16 for IPv6. */
  readonly bytes: Uint8Array;
  /** Number of leading bits that must match. */
  readonly prefix: number;
}

/** A range from its text; a bare IP is a range of one. Null when it is neither. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf("/");
  const address = slash === -1 ? text : text.slice(0, slash);
  // A zone id names an interface of one machine, not a range of addresses.
  if (address.includes("%")) return null;
  const bytes = parseIp(address);
  if (bytes === null) return null;
  const bits = bytes.length * 8;
  if (slash === -1) return { bytes, prefix: bits };
  const digits = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(digits)) return null;
  const mapped = bytes.length === 4 && address.includes(":");
  const prefix = Number(digits) - (mapped ? 96 : 0);
  if (prefix < 0 || prefix > bits) return null;
  return { bytes: masked(bytes, prefix), prefix };
}

function masked(bytes: Uint8Array, prefix: number): Uint8Array {
  return bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefix - index * 8));
    return byte & (0xff << (8 - kept));
  });
}

/** Whether `ip` (4 or 16 bytes, as from `parseIp`) is in the range. */
export function cidrContains(cidr: Cidr, ip: Uint8Array): boolean {
  if (cidr.bytes.length !== ip.length) return false;
  const whole = cidr.prefix >> 3;
  for (let index = 0; index < whole; index++) {
    if (cidr.bytes[index] !== ip[index]) return false;
  }
  const rest = cidr.prefix & 7;
  if (rest === 0) return true;
  return (((cidr.bytes[whole] ?? 0) ^ (ip[whole] ?? 0)) >> (8 - rest)) === 0;
}

/** Whether a literal IP is in any of the ranges; false when it is no IP. */
export function anyContains(cidrs: readonly Cidr[], ip: string): boolean {
  if (cidrs.length === 0) return false;
  const bytes = parseIp(ip);
  return bytes !== null && cidrs.some((cidr) => cidrContains(cidr, bytes));
}

/** `address/prefix`. */
export function formatCidr(cidr: Cidr): string {
  return `${formatIp(cidr.bytes)}/${cidr.prefix}`;
}
