/**
 * A `Conn` over any Node stream: a socket, a TLS socket.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { SocketAddress } from "../types.ts";
import { closedError, PulledConn } from "./pulled_conn.ts";

const EMPTY = new Uint8Array(0);

/** Pull-style reads with back-pressure: the stream is left paused, so the kernel holds what nobody asked for yet. */
export class DuplexConn extends PulledConn {
  readonly #stream: Duplex;
  readonly #resetStream: (() => void) | null;

  /**
   * @param stream must allow a half-open state, and must not have been read from
   * @param resetStream closes with a reset and destroys the stream, where it has a way to
   */
  constructor(stream: Duplex, local: SocketAddress, remote: SocketAddress, resetStream: (() => void) | null) {
    super(local, remote);
    this.#stream = stream;
    this.#resetStream = resetStream;
    stream.on("readable", () => this.arrived());
    stream.on("end", () => this.#onEnd());
    stream.on("error", (error: unknown) => this.failed(error));
    stream.on("close", () => {
      if (!this.closed && this.error === null) this.failed(closedError());
    });
    // A socket without anything to read ends by itself, and says so once.
    if (stream.readableEnded) this.#onEnd();
  }

  write(bytes: Uint8Array): Promise<number> {
    const { refusal } = this;
    if (refusal !== null) return Promise.reject(refusal);
    if (bytes.length === 0) return Promise.resolve(0);
    return new Promise((resolve, reject) => {
      this.writes.add(reject);
      this.#stream.write(bytes, (error) => {
        // A socket that was destroyed may report a write that it gave up as done, after `close` rejected it here.
        if (!this.writes.delete(reject)) return;
        if (error) reject(error);
        else resolve(bytes.length);
      });
    });
  }

  closeWrite(): Promise<void> {
    const { refusal } = this;
    if (refusal !== null) return Promise.reject(refusal);
    if (this.#stream.writableEnded) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.writes.add(reject);
      this.#stream.end(() => {
        if (!this.writes.delete(reject)) return;
        if (this.#stream.errored) reject(this.#stream.errored);
        else resolve();
      });
    });
  }

  close(): void {
    if (this.shut()) this.#stream.destroy();
  }

  reset(): void {
    if (!this.shut()) return;
    // TLS is left to follow its socket: destroyed beside it, Node writes into what is gone, and crashes.
    if (this.#resetStream === null) this.#stream.destroy();
    else this.#resetStream();
  }

  protected override take(into: Uint8Array): number {
    const stream = this.#stream;
    // Without a length `read` never raises the stream's high-water mark.
    const chunk: Uint8Array | null = stream.readableLength > into.length ? stream.read(into.length) : stream.read();
    if (chunk === null) return 0;
    into.set(chunk);
    return chunk.length;
  }

  #onEnd(): void {
    const stream = this.#stream;
    if (this.#resetStream === null || stream.writableEnded || stream.destroyed) return this.ended();
    // libuv reports a reset that arrives together with data as an end: the socket's next write tells them apart.
    if (this.writes.size > 0) setImmediate(() => this.error === null && this.ended());
    else stream.write(EMPTY, (error) => error ? this.failed(error) : this.ended());
  }
}
