/**
 * The smallest parts of a gob stream: numbers and runs of bytes. Nothing is read beyond the message that it belongs to.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** Longest number behind its length. */
const MAX_NUMBER_BYTES = 8;
/** A type has no greater number. */
const MAX_TYPE = 2 ** 31;

/** A place in a stream. */
export class GobInput {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length;
  }

  /** Offset of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** Bytes to the end of the message. */
  get left(): number {
    return this.#end - this.#at;
  }

  /** Bytes of the whole stream. */
  get size(): number {
    return this.#bytes.length;
  }

  /** Goes into the next message; the one before was read to its end. False at the end of the stream. */
  nextMessage(): boolean {
    this.#end = this.#bytes.length;
    if (this.left === 0) return false;
    const start = this.#at;
    const length = this.#number();
    if (length > this.left) throw this.fault(`the message has ${length} bytes, the file ${this.left} more`, start);
    this.#end = this.#at + length;
    return true;
  }

  /** A number of things of at least one byte each, or of bytes. */
  count(what: string): number {
    const start = this.#at;
    const count = this.#number();
    if (count > this.left) throw this.fault(`${what} ${count} long, its message has ${this.left} bytes more`, start);
    return count;
  }

  /** Number of a type; negative where its definition follows. */
  type(): number {
    const start = this.#at;
    const number = this.#number();
    if (number >= 2 * MAX_TYPE) throw this.fault("no type has such a number", start);
    return number % 2 === 1 ? -(number + 1) / 2 : number / 2;
  }

  /** How far the next member of a struct is from the last one; 0 ends the struct. */
  step(): number {
    return this.#number();
  }

  bool(): boolean {
    return this.#number() !== 0;
  }

  uint(): bigint {
    const size = this.#size();
    if (size === 0) return BigInt(this.#byte());
    if (size <= 6) return BigInt(this.#digits(size));
    return size === MAX_NUMBER_BYTES ? this.#wide() : BigInt(this.#digits(1)) << 48n | BigInt(this.#digits(6));
  }

  int(): bigint {
    const uint = this.uint();
    return (uint & 1n) === 1n ? ~(uint >> 1n) : uint >> 1n;
  }

  float(): number {
    // The bytes of a float are sent in reverse: small numbers end in zeros.
    const bits = this.uint();
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, bits, true);
    return view.getFloat64(0, false);
  }

  /** Not a copy. */
  bytes(): Uint8Array {
    const length = this.count("bytes are");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** What is not UTF-8 becomes U+FFFD, as in JSON that Go writes. */
  text(length: number = this.count("bytes are")): string {
    this.#at += length;
    return decoder.decode(this.#bytes.subarray(this.#at - length, this.#at));
  }

  /** What is wrong at a place. */
  fault(reason: string, offset: number = this.#at): NodePassError {
    return new NodePassError("corrupt", `Byte ${offset}: ${reason}`);
  }

  /** Exact below 2^53, and never below it where the number itself is not. */
  #number(): number {
    const size = this.#size();
    return size === 0 ? this.#byte() : this.#digits(size);
  }

  /** Bytes of the number that comes; 0 where the byte that comes is the number. */
  #size(): number {
    const start = this.#at;
    const first = this.#byte();
    if (first < 0x80) {
      this.#at = start;
      return 0;
    }
    const size = 256 - first;
    if (size > MAX_NUMBER_BYTES) throw this.fault(`a number of ${size} bytes`, start);
    if (size > this.left) throw this.fault(`a number of ${size} bytes, its message has ${this.left} more`, start);
    return size;
  }

  #byte(): number {
    if (this.left === 0) {
      throw this.fault(this.#end === this.#bytes.length ? "the file ends here" : "the message ends here");
    }
    return this.#bytes[this.#at++] ?? 0;
  }

  #digits(size: number): number {
    let number = 0;
    for (let index = 0; index < size; index++) number = number * 256 + this.#byte();
    return number;
  }

  #wide(): bigint {
    this.#at += MAX_NUMBER_BYTES;
    return this.#view.getBigUint64(this.#at - MAX_NUMBER_BYTES, false);
  }
}
