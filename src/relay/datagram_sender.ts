/**
 * The sending side of one UDP socket: first in, first out, bounded, never waiting.
 *
 * @module
 */
import type { Datagram, SocketAddress } from "../runtime/types.ts";
import { datagramBuffers } from "./datagram_buffers.ts";
import type { TokenBucket } from "./token_bucket.ts";

/** Queued bytes, counted as buffers, above which a datagram is dropped: a full read of a link fits. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;

/** A datagram that waits, in a list from oldest to newest. */
interface Queued {
  readonly buffer: Uint8Array;
  readonly length: number;
  readonly to: SocketAddress;
  next: Queued | null;
}

/** Options of {@linkcode DatagramSender}. */
export interface DatagramSenderOptions {
  /** Delays what is sent; what waits longer than the queue is long is dropped. */
  readonly bucket: TokenBucket | null;
  /** Called for each datagram that found the queue full. */
  readonly onDrop: () => void;
}

/** Sends datagrams in order; drops when the socket cannot keep up. */
export class DatagramSender {
  readonly #socket: Datagram;
  readonly #options: DatagramSenderOptions;
  #first: Queued | null = null;
  #last: Queued | null = null;
  #queuedBytes = 0;
  #running = false;
  #closed = false;

  constructor(socket: Datagram, options: DatagramSenderOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Copies `bytes` and sends them as soon as what came before is gone; false when they were dropped. */
  send(bytes: Uint8Array, to: SocketAddress): boolean {
    if (this.#closed) return false;
    if (this.#queuedBytes >= MAX_QUEUED_BYTES) {
      this.#options.onDrop();
      return false;
    }
    const buffer = datagramBuffers.take(bytes.length);
    buffer.set(bytes);
    const queued: Queued = { buffer, length: bytes.length, to, next: null };
    if (this.#last === null) this.#first = queued;
    else this.#last.next = queued;
    this.#last = queued;
    this.#queuedBytes += buffer.length;
    if (!this.#running) void this.#run();
    return true;
  }

  /** Drops what waits. The socket stays its owner's. */
  close(): void {
    this.#closed = true;
    this.#options.bucket?.forget(this);
  }

  async #run(): Promise<void> {
    // Several sends in flight on one socket were measured to be far slower on Deno, and may change the order.
    this.#running = true;
    for (let queued = this.#first; queued !== null; queued = this.#first) {
      this.#first = queued.next;
      if (queued.next === null) this.#last = null;
      if (!this.#closed) {
        try {
          const wait = this.#options.bucket?.take(queued.length, this);
          if (wait !== undefined) await wait;
          const sent = this.#closed
            ? undefined
            : this.#socket.send(queued.buffer.subarray(0, queued.length), queued.to);
          if (sent !== undefined) await sent;
        } catch {
          // A datagram that cannot leave is lost, as on any other hop.
        }
      }
      this.#queuedBytes -= queued.buffer.length;
      datagramBuffers.release(queued.buffer);
    }
    this.#running = false;
  }
}
