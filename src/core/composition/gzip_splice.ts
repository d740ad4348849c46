/**
 * Gzip (RFC 1952) of a short head and a long tail that is compressed once for many heads.
 *
 * @module
 */

/** A tail as gzip, and what it takes to put something in front of it. */
export interface GzipTail {
  /** The deflate blocks (RFC 1951). */
  readonly blocks: Uint8Array;
  readonly crc: number;
  readonly length: number;
}

const HEADER = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const TRAILER_BYTES = 8;
/** The CRC-32 of gzip, bits reversed. */
const POLYNOMIAL = 0xedb88320;
/** The longest head: what one stored block holds. */
const HEAD_BYTES = 0xffff;

/** Compresses a tail. */
export async function gzipTail(bytes: Uint8Array<ArrayBuffer>): Promise<GzipTail> {
  const gz = await gzip(bytes);
  const view = new DataView(gz.buffer, gz.byteOffset, gz.byteLength);
  const end = gz.length - TRAILER_BYTES;
  return { blocks: gz.subarray(HEADER.length, end), crc: view.getUint32(end, true), length: bytes.length };
}

/** The gzip of head and tail together. The head goes in as it is, in a block of its own. */
export function spliceGzip(head: Uint8Array, tail: GzipTail): Uint8Array<ArrayBuffer> {
  if (head.length > HEAD_BYTES) throw new RangeError(`Cannot put ${head.length} bytes into one block`);
  const stored = HEADER.length + 5;
  const out = new Uint8Array(stored + head.length + tail.blocks.length + TRAILER_BYTES);
  const view = new DataView(out.buffer);
  out.set(HEADER);
  view.setUint16(HEADER.length + 1, head.length, true);
  view.setUint16(HEADER.length + 3, ~head.length & 0xffff, true);
  out.set(head, stored);
  out.set(tail.blocks, stored + head.length);
  const end = out.length - TRAILER_BYTES;
  view.setUint32(end, joinCrc(crc32(head), tail.crc, tail.length), true);
  view.setUint32(end + 4, (head.length + tail.length) >>> 0, true);
  return out;
}

/** Compresses. */
export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return await through(bytes, new CompressionStream("gzip"));
}

/** Decompresses what {@linkcode gzip} or {@linkcode spliceGzip} made. */
export async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return await through(bytes, new DecompressionStream("gzip"));
}

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
  }
  return ~crc >>> 0;
}

/** The CRC of two texts in a row, from the CRC of each: the first is shifted by the bits of the second. */
function joinCrc(head: number, tail: number, tailBytes: number): number {
  let power = 0x40000000;
  let shift = 0x80000000;
  for (let bits = tailBytes * 8; bits > 0; bits = Math.floor(bits / 2)) {
    if (bits % 2 === 1) shift = multiply(power, shift);
    power = multiply(power, power);
  }
  return (multiply(shift, head) ^ tail) >>> 0;
}

/** Product of two polynomials modulo that of the CRC, the constant term in the highest bit. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let mask = 0x80000000; mask !== 0; mask >>>= 1) {
    if ((a & mask) !== 0) product ^= b;
    b = (b & 1) === 0 ? b >>> 1 : (b >>> 1) ^ POLYNOMIAL;
  }
  return product >>> 0;
}
