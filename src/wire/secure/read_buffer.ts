/**
 * Bytes that were read and not yet taken: small while little comes, large in bulk.
 *
 * @module
 */

const GROWTH = 4;
/** Parts of a frame are handed on in pieces of up to this size: TLS reads give one record of 16 KiB at a time. */
const GATHER_BYTES = 128 * 1024;
/** After a longer read they are handed on at once: the link is slow, and waiting for the rest would delay them. */
const GATHER_MS = 5;

/** See the module. */
export class ReadBuffer {
  /** What was read lies in `bytes[0, have)`. */
  bytes: Uint8Array<ArrayBuffer>;
  have = 0;
  readonly #startBytes: number;
  readonly #maxBytes: number;
  #wasFilled = false;

  /** @param maxBytes full reads let it grow up to this size */
  constructor(startBytes: number, maxBytes: number) {
    this.#startBytes = startBytes;
    this.#maxBytes = Math.max(startBytes, maxBytes);
    this.bytes = new Uint8Array(startBytes);
  }

  /** Where the next read goes. */
  room(): Uint8Array<ArrayBuffer> {
    return this.have === 0 ? this.bytes : this.bytes.subarray(this.have);
  }

  /** `count` bytes were read into the room. */
  added(count: number): void {
    this.have += count;
    this.#wasFilled = this.have === this.bytes.length;
  }

  /** Whether a part of a frame should wait for more of it. `readMs`: how long the last read took. */
  gathers(readMs: number): boolean {
    return readMs < GATHER_MS && this.have < GATHER_BYTES && this.have < this.bytes.length;
  }

  /** The first `count` bytes are done with; the rest moves to the front. `quiet`: no bulk is expected. */
  taken(count: number, quiet: boolean): void {
    if (count > 0 && count < this.have) this.bytes.copyWithin(0, count, this.have);
    this.have -= count;
    if (this.#wasFilled && this.bytes.length < this.#maxBytes) this.#resize(this.bytes.length * GROWTH);
    else if (quiet && this.have === 0 && this.bytes.length > this.#startBytes) this.#resize(this.#startBytes);
  }

  #resize(bytes: number): void {
    const old = this.bytes;
    this.bytes = new Uint8Array(Math.min(bytes, this.#maxBytes));
    this.bytes.set(old.subarray(0, this.have));
  }
}
