/**
 * A stream inside binary WebSocket messages.
 *
 * WebSocket has no half-close, so an empty binary message ends one direction. A Close frame ends what is still open
 * of both; a connection that breaks without one is an error.
 *
 * @module
 */
import type { WebSocket } from "ws";
import { NodePassError } from "../../errors.ts";
import type { Conn, SocketAddress } from "../types.ts";
import { closedError } from "./duplex_conn.ts";

/** The most that one message carries when we send. */
const messageBytes = 256 * 1024;
/** Received bytes that wait for `read` before the socket is paused. */
const highWaterBytes = 256 * 1024;
/** Close codes of an orderly end: normal, going away, none given. */
const orderly = new Set([1000, 1001, 1005]);
const endMark = new Uint8Array(0);

/** A `Conn` over an open WebSocket. */
export class WebSocketConn implements Conn {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly #socket: WebSocket;
  readonly #chunks: Uint8Array[] = [];
  readonly #writes = new Set<(error: unknown) => void>();
  #queuedBytes = 0;
  #reading: { into: Uint8Array; resolve(count: number | null): void; reject(error: unknown): void } | null = null;
  #remoteEnded = false;
  #localEnded = false;
  #closed = false;
  #error: unknown = null;

  /** @param socket must be open, with no message handler yet */
  constructor(socket: WebSocket, local: SocketAddress, remote: SocketAddress) {
    this.#socket = socket;
    this.local = local;
    this.remote = remote;
    socket.binaryType = "nodebuffer";
    socket.on("message", (data, isBinary) => this.#onMessage(data as Uint8Array, isBinary));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", (code) => this.#onClose(code));
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.#reading !== null) {
      return Promise.reject(new NodePassError("usage", "Cannot read: another read is pending"));
    }
    if (this.#closed) return Promise.reject(closedError());
    const count = this.#take(into);
    if (count > 0) return Promise.resolve(count);
    if (this.#remoteEnded) return Promise.resolve(null);
    if (this.#error !== null) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#reading = { into, resolve, reject };
    });
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (bytes.length === 0) return 0;
    const part = bytes.length > messageBytes ? bytes.subarray(0, messageBytes) : bytes;
    if (this.#localEnded) throw new NodePassError("closed", "Cannot write: this direction was ended");
    await this.#send(part);
    return part.length;
  }

  async closeWrite(): Promise<void> {
    if (this.#localEnded) return;
    this.#localEnded = true;
    await this.#send(endMark);
  }

  close(): void {
    if (this.#closed) return;
    // The Close frame is in the kernel before the socket goes: its reply would say nothing new.
    this.#socket.close(1000);
    this.reset();
  }

  /** Goes without a Close frame: the other side's reads fail. */
  reset(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rejectPending(closedError());
    this.#chunks.length = 0;
    this.#socket.terminate();
  }

  #send(message: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(closedError());
    if (this.#error !== null) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#writes.add(reject);
      this.#socket.send(message, { binary: true }, (error) => {
        if (!this.#writes.delete(reject)) return;
        if (error) reject(error);
        else resolve();
      });
    });
  }

  #take(into: Uint8Array): number {
    let filled = 0;
    while (filled < into.length) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) break;
      const part = chunk.subarray(0, into.length - filled);
      into.set(part, filled);
      filled += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#queuedBytes -= filled;
    if (this.#queuedBytes === 0 && this.#socket.isPaused) this.#socket.resume();
    return filled;
  }

  #onMessage(data: Uint8Array, isBinary: boolean): void {
    if (this.#closed || this.#remoteEnded) return;
    if (!isBinary) {
      this.#fail(new NodePassError("protocol", "The other side sent a text message"));
      return this.reset();
    }
    if (data.length === 0) return this.#end();
    this.#chunks.push(data);
    this.#queuedBytes += data.length;
    const pending = this.#reading;
    if (pending !== null) {
      this.#reading = null;
      pending.resolve(this.#take(pending.into));
    }
    if (this.#queuedBytes >= highWaterBytes) this.#socket.pause();
  }

  #onClose(code: number): void {
    if (orderly.has(code)) this.#end();
    this.#fail(new NodePassError("connection_reset", "The WebSocket connection broke"));
  }

  #end(): void {
    if (this.#error !== null) return;
    this.#remoteEnded = true;
    const pending = this.#reading;
    this.#reading = null;
    pending?.resolve(null);
  }

  #fail(error: unknown): void {
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
