/**
 * Two connected ends in memory, with the shape of a socket.
 *
 * @module
 */
import { NodePassError } from "../src/errors.ts";
import type { Conn, SocketAddress } from "../src/runtime/types.ts";

/** One direction: an unbounded queue of what was written. */
class Pipe {
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #broken = false;
  #wake: (() => void) | null = null;

  push(bytes: Uint8Array): void {
    if (this.#ended || this.#broken) throw new NodePassError("connection_reset", "Other end is closed");
    if (bytes.length > 0) this.#chunks.push(bytes.slice());
    this.#notify();
  }

  end(): void {
    this.#ended = true;
    this.#notify();
  }

  break(): void {
    this.#broken = true;
    this.#notify();
  }

  async pull(into: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.#broken) throw new NodePassError("closed", "Connection is closed");
      const chunk = this.#chunks[0];
      if (chunk !== undefined) {
        const count = Math.min(chunk.length, into.length);
        into.set(chunk.subarray(0, count));
        if (count === chunk.length) this.#chunks.shift();
        else this.#chunks[0] = chunk.subarray(count);
        return count;
      }
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = null;
  }
}

/** One end of a pair; what it wrote is kept in `sent`. */
export class MemoryConn implements Conn {
  readonly local: SocketAddress = { host: "127.0.0.1", port: 1 };
  readonly remote: SocketAddress = { host: "127.0.0.1", port: 2 };
  /** Every write, one entry each. */
  readonly sent: Uint8Array[] = [];
  /** True once this end was closed. */
  closed = false;
  readonly #incoming: Pipe;
  readonly #outgoing: Pipe;

  constructor(incoming: Pipe, outgoing: Pipe) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#incoming.pull(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    try {
      this.#outgoing.push(bytes);
      this.sent.push(bytes.slice());
      return Promise.resolve(bytes.length);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  closeWrite(): Promise<void> {
    this.#outgoing.end();
    return Promise.resolve();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#outgoing.end();
    this.#incoming.break();
  }

  reset(): void {
    this.close();
  }
}

/** Two ends: what one writes, the other reads. */
export function memoryPair(): [MemoryConn, MemoryConn] {
  const there = new Pipe();
  const back = new Pipe();
  return [new MemoryConn(back, there), new MemoryConn(there, back)];
}
