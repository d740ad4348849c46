/**
 * Literal IP addresses: text to bytes and back, and what kind of address it is.
 *
 * IPv4-mapped IPv6 addresses (`::ffff:192.0.2.1`) are their IPv4 address everywhere, so that limits and lists
 * cannot be passed by under another spelling.
 *
 * @module
 */

/** Prefix of an IPv4-mapped IPv6 address. */
const mappedPrefix: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

const DOT = 46;
const ZERO = 48;

/** The 4 or 16 bytes of a literal IP (a zone id is dropped), or null when `text` is not one. */
export function parseIp(text: string): Uint8Array | null {
  if (!text.includes(":")) return parseIpv4(text);
  const zone = text.indexOf("%");
  const bytes = parseIpv6(zone === -1 ? text : text.slice(0, zone));
  if (bytes === null) return null;
  return mappedPrefix.every((byte, index) => bytes[index] === byte) ? bytes.slice(12) : bytes;
}

function parseIpv4(text: string): Uint8Array | null {
  const bytes = new Uint8Array(4);
  let part = 0;
  let value = 0;
  let digits = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? DOT : text.charCodeAt(at);
    if (code === DOT) {
      if (digits === 0 || value > 255 || part > 3) return null;
      bytes[part++] = value;
      value = digits = 0;
    } else {
      // A leading zero is refused: some systems read it as octal, so two programs could mean two addresses.
      if (code < ZERO || code > ZERO + 9 || (digits > 0 && value === 0) || digits === 3) return null;
      value = value * 10 + code - ZERO;
      digits++;
    }
  }
  return part === 4 ? bytes : null;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = groups(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1] ?? "", true) : [];
  if (head === null || tail === null) return null;
  const zeros = 16 - head.length - tail.length;
  if (halves.length === 1 ? zeros !== 0 : zeros < 2) return null;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** Bytes of colon-separated groups; only the last group of the address may be a dotted IPv4 address. */
function groups(text: string, last: boolean): number[] | null {
  if (text === "") return [];
  const parts = text.split(":");
  const bytes: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (part.includes(".")) {
      const v4 = last && index === parts.length - 1 ? parseIpv4(part) : null;
      if (v4 === null) return null;
      bytes.push(...v4);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null;
      const value = parseInt(part, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes.length > 16 ? null : bytes;
}

/** Canonical text of 4 or 16 bytes: dotted IPv4, or lower-case compressed IPv6 (RFC 5952). */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) throw new RangeError(`Cannot format an IP of ${bytes.length} bytes: expected 4 or 16`);
  const values: number[] = [];
  for (let index = 0; index < 16; index += 2) values.push(((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0));
  const run = longestZeroRun(values);
  const hex = values.map((value) => value.toString(16));
  if (run.length < 2) return hex.join(":");
  return `${hex.slice(0, run.start).join(":")}::${hex.slice(run.start + run.length).join(":")}`;
}

function longestZeroRun(values: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index <= values.length; index++) {
    if (index < values.length && values[index] === 0) continue;
    if (index - start > best.length) best = { start, length: index - start };
    start = index + 1;
  }
  return best;
}

/** Canonical text of a literal IP: mapped addresses become IPv4, zone ids go; anything else comes back as it is. */
export function normalizeIp(text: string): string {
  // An IPv4 address has one spelling only.
  if (!text.includes(":")) return text;
  const bytes = parseIp(text);
  return bytes === null ? text : formatIp(bytes);
}

/** Whether `text` is a literal IP, without brackets. */
export function isIp(text: string): boolean {
  return parseIp(text) !== null;
}

/** Whether a literal IP is in 127.0.0.0/8 or is ::1. */
export function isLoopback(ip: string): boolean {
  const bytes = parseIp(ip);
  if (bytes === null) return false;
  if (bytes.length === 4) return bytes[0] === 127;
  return bytes.every((byte, index) => byte === (index === 15 ? 1 : 0));
}

/** Whether a host means all addresses: "", 0.0.0.0 or ::. */
export function isUnspecified(host: string): boolean {
  if (host === "") return true;
  return parseIp(host)?.every((byte) => byte === 0) ?? false;
}

/** Whether a literal IP is in 169.254.0.0/16 or fe80::/10. */
export function isLinkLocal(ip: string): boolean {
  const bytes = parseIp(ip);
  if (bytes === null) return false;
  if (bytes.length === 4) return bytes[0] === 169 && bytes[1] === 254;
  return bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
}

/** What per-source limits count by: an IPv4 address itself, the /64 of an IPv6 address. */
export function sourceKey(ip: string): string {
  const bytes = parseIp(ip);
  if (bytes === null) return ip;
  if (bytes.length === 4) return formatIp(bytes);
  return `${formatIp(bytes.slice().fill(0, 8))}/64`;
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress(address: { readonly host: string; readonly port: number }): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
