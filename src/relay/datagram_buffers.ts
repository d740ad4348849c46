/**
 * Buffers for datagrams, kept and handed out again, so that no packet allocates one.
 *
 * @module
 */

/** Room for any UDP datagram. */
export const LARGEST_DATAGRAM = 65_536;
/** Room for the datagrams that networks carry in one piece. */
const SMALL_BYTES = 2_048;
/** The memory of a slab is only taken by the pages that are written to. */
const SLAB_BYTES = 4 * 1024 * 1024;
const MAX_FREE_BYTES = 64 * 1024 * 1024;

/** Buffers of two sizes, cut out of slabs. */
export class DatagramBuffers {
  readonly #small: Uint8Array[] = [];
  readonly #large: Uint8Array[] = [];

  /** A buffer of at least `bytes`; its content is undefined. */
  take(bytes: number): Uint8Array {
    return bytes <= SMALL_BYTES ? this.#pop(this.#small, SMALL_BYTES) : this.#pop(this.#large, LARGEST_DATAGRAM);
  }

  /** Gives a whole buffer of `take` back. */
  release(buffer: Uint8Array): void {
    const free = buffer.length === SMALL_BYTES ? this.#small : this.#large;
    if (free.length * buffer.length < MAX_FREE_BYTES) free.push(buffer);
  }

  #pop(free: Uint8Array[], size: number): Uint8Array {
    const buffer = free.pop();
    if (buffer !== undefined) return buffer;
    const slab = new Uint8Array(SLAB_BYTES);
    for (let at = size; at < SLAB_BYTES; at += size) free.push(slab.subarray(at, at + size));
    return slab.subarray(0, size);
  }
}

/** The buffers of this process: sockets come and go, their memory is used again. */
export const datagramBuffers: DatagramBuffers = new DatagramBuffers();
