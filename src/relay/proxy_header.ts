/**
 * PROXY protocol headers, version 1 (text) and 2 (binary), as the end that dials a target writes them.
 *
 * @module
 */
import { formatIp, parseIp } from "../address/ip.ts";
import { NodePassError } from "../errors.ts";
import type { SocketAddress } from "../runtime/types.ts";
import type { Protocol } from "./meter.ts";

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const VERSION_2_PROXY = 0x21;
const FAMILY_INET = 0x10;
const FAMILY_INET6 = 0x20;
const TRANSPORT_STREAM = 0x01;
const TRANSPORT_DGRAM = 0x02;

/** Both addresses in one family, IPv4 if both are. */
interface Pair {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly ipv4: boolean;
}

function bytesOf(address: SocketAddress): Uint8Array {
  const bytes = parseIp(address.host);
  if (bytes === null) throw new NodePassError("usage", `Cannot write a PROXY header for "${address.host}": no IP`);
  return bytes;
}

function mapped(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 16) return bytes;
  const out = new Uint8Array(16);
  out.fill(0xff, 10, 12);
  out.set(bytes, 12);
  return out;
}

/** An IPv4 address beside an IPv6 one is written IPv4-mapped: both formats hold one family. */
function sameFamily(source: SocketAddress, destination: SocketAddress): Pair {
  const from = bytesOf(source);
  const to = bytesOf(destination);
  if (from.length === 4 && to.length === 4) return { source: from, destination: to, ipv4: true };
  return { source: mapped(from), destination: mapped(to), ipv4: false };
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff) {
    return `::ffff:${bytes.subarray(12).join(".")}`;
  }
  return formatIp(bytes);
}

/**
 * The header that goes before the first byte (TCP) or the first datagram (UDP, version 2 alone).
 *
 * @param version `v1` cannot describe datagrams
 * @param source the visitor
 * @param destination the address that was dialled
 * @throws {NodePassError} `usage` when a host is no IP, `not_supported` for UDP in version 1
 */
export function encodeProxyHeader(
  version: "v1" | "v2",
  protocol: Protocol,
  source: SocketAddress,
  destination: SocketAddress,
): Uint8Array {
  const pair = sameFamily(source, destination);
  if (version === "v2") return encodeV2(protocol, pair, source.port, destination.port);
  if (protocol === "udp") {
    throw new NodePassError("not_supported", "Cannot write a PROXY header version 1 for UDP: use proxy=2");
  }
  const addresses = `${textOf(pair.source)} ${textOf(pair.destination)}`;
  const line = `PROXY ${pair.ipv4 ? "TCP4" : "TCP6"} ${addresses} ${source.port} ${destination.port}\r\n`;
  return new TextEncoder().encode(line);
}

function encodeV2(protocol: Protocol, pair: Pair, sourcePort: number, destinationPort: number): Uint8Array {
  const width = pair.source.length;
  const header = new Uint8Array(16 + 2 * width + 4);
  const view = new DataView(header.buffer);
  header.set(SIGNATURE);
  header[12] = VERSION_2_PROXY;
  header[13] = (pair.ipv4 ? FAMILY_INET : FAMILY_INET6) | (protocol === "tcp" ? TRANSPORT_STREAM : TRANSPORT_DGRAM);
  view.setUint16(14, 2 * width + 4);
  header.set(pair.source, 16);
  header.set(pair.destination, 16 + width);
  view.setUint16(16 + 2 * width, sourcePort);
  view.setUint16(18 + 2 * width, destinationPort);
  return header;
}
