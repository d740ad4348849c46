/**
 * A `Conn` over any Node stream: a socket, a TLS socket.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { NodePassError } from "../../errors.ts";
import type { Conn, SocketAddress } from "../types.ts";

const EMPTY = new Uint8Array(0);

interface PendingRead {
  readonly into: Uint8Array;
  readonly resolve: (count: number | null) => void;
  readonly reject: (error: unknown) => void;
}

/** Pull-style reads with back-pressure: the stream is left paused, so the kernel holds what nobody asked for yet. */
export class DuplexConn implements Conn {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly #stream: Duplex;
  readonly #resetStream: (() => void) | null;
  readonly #writes = new Set<(error: unknown) => void>();
  #reading: PendingRead | null = null;
  #ended = false;
  #closed = false;
  #error: unknown = null;

  /**
   * @param stream must allow a half-open state, and must not have been read from
   * @param resetStream closes with a reset, where the stream has a way to
   */
  constructor(stream: Duplex, local: SocketAddress, remote: SocketAddress, resetStream: (() => void) | null) {
    this.#stream = stream;
    this.local = local;
    this.remote = remote;
    this.#resetStream = resetStream;
    stream.on("readable", () => this.#onReadable());
    stream.on("end", () => this.#onEnd());
    stream.on("error", (error: unknown) => this.#onFailure(error));
    stream.on("close", () => this.#onFailure(closedError()));
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.#reading !== null) {
      return Promise.reject(new NodePassError("usage", "Cannot read: another read is pending"));
    }
    if (this.#closed) return Promise.reject(closedError());
    const count = this.#take(into);
    if (count > 0) return Promise.resolve(count);
    if (this.#ended) return Promise.resolve(null);
    if (this.#error !== null) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#reading = { into, resolve, reject };
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#closed) return Promise.reject(closedError());
    if (this.#error !== null) return Promise.reject(this.#error);
    if (bytes.length === 0) return Promise.resolve(0);
    return new Promise((resolve, reject) => {
      this.#writes.add(reject);
      this.#stream.write(bytes, (error) => {
        // A socket that was destroyed may report a write that it gave up as done, after `close` rejected it here.
        if (!this.#writes.delete(reject)) return;
        if (error) reject(error);
        else resolve(bytes.length);
      });
    });
  }

  closeWrite(): Promise<void> {
    if (this.#closed) return Promise.reject(closedError());
    if (this.#error !== null) return Promise.reject(this.#error);
    if (this.#stream.writableEnded) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#writes.add(reject);
      this.#stream.end(() => {
        if (!this.#writes.delete(reject)) return;
        if (this.#stream.errored) reject(this.#stream.errored);
        else resolve();
      });
    });
  }

  close(): void {
    this.#shut(() => this.#stream.destroy());
  }

  reset(): void {
    this.#shut(() => {
      this.#resetStream?.();
      this.#stream.destroy();
    });
  }

  #shut(destroy: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rejectPending(closedError());
    destroy();
  }

  #take(into: Uint8Array): number {
    const stream = this.#stream;
    // Without a length `read` never raises the stream's high-water mark.
    const chunk: Uint8Array | null = stream.readableLength > into.length ? stream.read(into.length) : stream.read();
    if (chunk === null) return 0;
    into.set(chunk);
    return chunk.length;
  }

  #onReadable(): void {
    const pending = this.#reading;
    if (pending === null) return;
    const count = this.#take(pending.into);
    if (count === 0) return;
    this.#reading = null;
    pending.resolve(count);
  }

  #onEnd(): void {
    const stream = this.#stream;
    if (this.#resetStream === null || stream.writableEnded || stream.destroyed) return this.#finishReading();
    // libuv reports a reset that arrives together with data as an end: the socket's next write tells them apart.
    if (this.#writes.size > 0) setImmediate(() => this.#error === null && this.#finishReading());
    else stream.write(EMPTY, (error) => error ? this.#onFailure(error) : this.#finishReading());
  }

  #finishReading(): void {
    this.#ended = true;
    const pending = this.#reading;
    this.#reading = null;
    pending?.resolve(null);
  }

  #onFailure(error: unknown): void {
    this.#error ??= error;
    this.#rejectPending(this.#error);
  }

  #rejectPending(error: unknown): void {
    const pending = this.#reading;
    this.#reading = null;
    pending?.reject(error);
    for (const reject of this.#writes) reject(error);
    this.#writes.clear();
  }
}

/** What pending and later calls of a closed connection get. */
export function closedError(): NodePassError {
  return new NodePassError("closed", "The connection was closed");
}
