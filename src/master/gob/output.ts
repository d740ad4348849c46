/**
 * The smallest parts of a gob stream, written.
 *
 * @module
 */

const encoder = new TextEncoder();

/** Bytes that grow. */
export class GobOutput {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** A copy of what was written. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** Below 128 one byte, else the digits behind their number. */
  uint(value: number | bigint): void {
    let rest = BigInt(value);
    if (rest < 0x80n) return this.#put([Number(rest)]);
    const digits: number[] = [];
    for (; rest > 0n; rest >>= 8n) digits.unshift(Number(rest & 0xffn));
    this.#put([256 - digits.length, ...digits]);
  }

  /** The sign is the lowest bit. */
  int(value: number | bigint): void {
    const wide = BigInt(value);
    this.uint(BigInt.asUintN(64, wide < 0n ? ~wide << 1n | 1n : wide << 1n));
  }

  float(value: number): void {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value, false);
    this.uint(view.getBigUint64(0, true));
  }

  bytes(bytes: Uint8Array): void {
    this.uint(bytes.length);
    this.raw(bytes);
  }

  text(text: string): void {
    this.bytes(encoder.encode(text));
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #put(bytes: readonly number[]): void {
    this.#room(bytes.length);
    for (const byte of bytes) this.#bytes[this.#length++] = byte;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
