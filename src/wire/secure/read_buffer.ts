/**
 * Bytes that were read and not yet taken: small while little comes, large in bulk.
 *
 * @module
 */

const GROWTH = 4;

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
