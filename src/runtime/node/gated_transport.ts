/**
 * Back-pressure for `node:tls` where the platform has none.
 *
 * Deno's `node:tls` goes on reading and decrypting when nobody takes the plain bytes, and loses the end of the stream
 * when it arrives meanwhile. There the ciphertext goes through this transport, which stops when enough plain bytes wait.
 *
 * @module
 */
import type net from "node:net";
import process from "node:process";
import { Duplex } from "node:stream";
import type tls from "node:tls";

/** Plain bytes that may wait before no more ciphertext is let in. */
const waitingLimit = 256 * 1024;
/** TLS must never stop reading by itself: that is when it loses the end. */
const neverFull = 1024 * 1024 * 1024;
const needed = process.versions["deno"] !== undefined;

/** What `node:tls` gets instead of the socket. */
export interface TlsTransport {
  readonly socket: net.Socket;
  /** Options for the TLS socket. */
  readonly options: { readonly highWaterMark?: number };
  /** Must be called with the TLS socket in the tick in which it was made. */
  attach(tlsSocket: tls.TLSSocket): void;
}

/** The socket itself, or a gate in front of it where the platform needs one. */
export function tlsTransport(socket: net.Socket): TlsTransport {
  if (!needed) return { socket, options: {}, attach: () => {} };
  const gate = new GatedTransport(socket);
  return {
    // Any stream will do for TLS, though the types ask for a socket.
    socket: gate as unknown as net.Socket,
    options: { highWaterMark: neverFull },
    attach: (tlsSocket) => gate.attach(tlsSocket),
  };
}

class GatedTransport extends Duplex {
  readonly #socket: net.Socket;
  #tlsSocket: tls.TLSSocket | null = null;
  #wanted = false;

  constructor(socket: net.Socket) {
    super({ allowHalfOpen: true, readableHighWaterMark: 0 });
    this.#socket = socket;
    socket.on("readable", () => this.#pump());
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  attach(tlsSocket: tls.TLSSocket): void {
    this.#tlsSocket = tlsSocket;
    const read = tlsSocket.read;
    // Every way to take bytes from a stream ends here; each may have made room.
    tlsSocket.read = (size?: number): unknown => {
      const chunk = read.call(tlsSocket, size);
      if (this.#wanted) this.#pump();
      return chunk;
    };
  }

  override _read(): void {
    this.#wanted = true;
    this.#pump();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #pump(): void {
    while (this.#wanted && (this.#tlsSocket?.readableLength ?? 0) < waitingLimit) {
      const chunk: Uint8Array | null = this.#socket.read();
      if (chunk === null) return;
      this.#wanted = false;
      if (this.push(chunk)) this.#wanted = true;
    }
  }
}
