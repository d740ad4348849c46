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
import type { SocketAddress } from "../types.ts";
import { PulledConn } from "./pulled_conn.ts";

/** The most that one message carries when we send. */
const messageBytes = 256 * 1024;
/** Received bytes that wait for `read` before the socket is paused. */
const highWaterBytes = 256 * 1024;
/** Close codes of an orderly end: normal, going away, none given. */
const orderly = new Set([1000, 1001, 1005]);
const endMark = new Uint8Array(0);

/** A `Conn` over an open WebSocket. */
export class WebSocketConn extends PulledConn {
  readonly #socket: WebSocket;
  readonly #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  #localEnded = false;

  /** @param socket must be open, with no message handler yet */
  constructor(socket: WebSocket, local: SocketAddress, remote: SocketAddress) {
    super(local, remote);
    this.#socket = socket;
    socket.binaryType = "nodebuffer";
    socket.on("message", (data, isBinary) => this.#onMessage(data as Uint8Array, isBinary));
    socket.on("error", (error) => this.failed(error));
    socket.on("close", (code) => this.#onClose(code));
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
    if (this.closed) return;
    // The Close frame is in the kernel before the socket goes: its reply would say nothing new.
    this.#socket.close(1000);
    this.reset();
  }

  /** Goes without a Close frame: the other side's reads fail. */
  reset(): void {
    if (!this.shut()) return;
    this.#chunks.length = 0;
    this.#socket.terminate();
  }

  protected override take(into: Uint8Array): number {
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

  #send(message: Uint8Array): Promise<void> {
    const { refusal } = this;
    if (refusal !== null) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.writes.add(reject);
      this.#socket.send(message, { binary: true }, (error) => {
        if (!this.writes.delete(reject)) return;
        if (error) reject(error);
        else resolve();
      });
    });
  }

  #onMessage(data: Uint8Array, isBinary: boolean): void {
    if (this.closed || this.remoteEnded) return;
    if (!isBinary) {
      this.failed(new NodePassError("protocol", "The other side sent a text message"));
      return this.reset();
    }
    if (data.length === 0) return this.#end();
    this.#chunks.push(data);
    this.#queuedBytes += data.length;
    this.arrived();
    if (this.#queuedBytes >= highWaterBytes) this.#socket.pause();
  }

  #onClose(code: number): void {
    if (orderly.has(code)) this.#end();
    this.failed(new NodePassError("connection_reset", "The WebSocket connection broke"));
  }

  #end(): void {
    if (this.error === null) this.ended();
  }
}
