/**
 * Writes MaxMind databases: what the format asks for, with records of 24 bits and no pointers.
 *
 * @module
 */
import { parseIp } from "../../../../src/address/ip.ts";

/** A value of a database. */
export type MmdbValue = string | number | boolean | readonly MmdbValue[] | { readonly [key: string]: MmdbValue };

type Node = [Node | number | null, Node | number | null];

/** The bytes of a database of these networks (`8.8.8.0/24`); `version` 4 has no place for IPv6. */
export function writeMmdb(networks: Readonly<Record<string, MmdbValue>>, version: 4 | 6 = 6): Uint8Array<ArrayBuffer> {
  const root: Node = [null, null];
  const data: number[] = [];
  for (const [network, value] of Object.entries(networks)) {
    put(root, bitsOf(network, version), data.length);
    data.push(...encode(value));
  }
  const nodes: Node[] = [root];
  const numbers = new Map<Node, number>([[root, 0]]);
  for (const node of nodes) {
    for (const side of node) {
      if (!Array.isArray(side)) continue;
      numbers.set(side, nodes.length);
      nodes.push(side);
    }
  }
  const tree = nodes.flatMap((node) =>
    node.flatMap((side) => {
      if (side === null) return bigEndian(nodes.length, 3);
      return bigEndian(Array.isArray(side) ? numbers.get(side)! : nodes.length + 16 + side, 3);
    })
  );
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_750_000_000,
    database_type: "Test-City",
    description: { en: "made by a test" },
    ip_version: version,
    languages: ["en"],
    node_count: nodes.length,
    record_size: 24,
  });
  const marker = [0xab, 0xcd, 0xef, ...new TextEncoder().encode("MaxMind.com")];
  return Uint8Array.from([...tree, ...new Array<number>(16).fill(0), ...data, ...marker, ...metadata]);
}

function bitsOf(network: string, version: 4 | 6): number[] {
  const [address = "", length = ""] = network.split("/");
  const bytes = parseIp(address);
  if (bytes === null) throw new RangeError(`Not a network: ${network}`);
  const bits = [...bytes].flatMap((byte) => Array.from({ length: 8 }, (_, index) => byte >> 7 - index & 1));
  const own = bits.slice(0, Number(length));
  return bytes.length === 4 && version === 6 ? [...new Array<number>(96).fill(0), ...own] : own;
}

function put(root: Node, bits: readonly number[], offset: number): void {
  let node = root;
  for (const bit of bits.slice(0, -1)) {
    const next = node[bit];
    const below: Node = Array.isArray(next) ? next : [null, null];
    node[bit] = below;
    node = below;
  }
  node[bits.at(-1) ?? 0] = offset;
}

function encode(value: MmdbValue): number[] {
  if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    return [...control(2, bytes.length), ...bytes];
  }
  if (typeof value === "boolean") return control(14, value ? 1 : 0);
  if (typeof value === "number") {
    if (Number.isInteger(value) && value >= 0) return [...control(6, 4), ...bigEndian(value, 4)];
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value);
    return [...control(3, 8), ...bytes];
  }
  if (Array.isArray(value)) return [...control(11, value.length), ...value.flatMap(encode)];
  const members = Object.entries(value as Record<string, MmdbValue>);
  return [...control(7, members.length), ...members.flatMap(([key, each]) => [...encode(key), ...encode(each)])];
}

/** Type and length; types above 7 stand in a byte of their own. */
function control(type: number, length: number): number[] {
  const [size, more] = length < 29
    ? [length, []]
    : length < 285
    ? [29, [length - 29]]
    : [30, bigEndian(length - 285, 2)];
  return type > 7 ? [size, type - 7, ...more] : [type << 5 | size, ...more];
}

function bigEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => Math.floor(value / 256 ** (bytes - 1 - index)) % 256);
}
