/**
 * An accepted socket that is not decided yet: plain, or TLS.
 *
 * @module
 */
import type net from "node:net";
import type tls from "node:tls";
import { NodePassError } from "../../errors.ts";
import type { Conn, ServerCertificate, SocketAddress, TlsConn, UpgradableConn } from "../types.ts";
import { DuplexConn } from "./duplex_conn.ts";
import { closedError } from "./pulled_conn.ts";
import { localAddress, remoteAddress, resetSocket } from "./sockets.ts";
import { NodeTlsConn } from "./tls_conn.ts";
import { secureContext, serverTlsSocket } from "./tls_server_socket.ts";

/** Reading a certificate costs a millisecond, and links come in bursts. */
const contexts = new WeakMap<ServerCertificate, tls.SecureContext>();

/** See the module. */
export class NodeUpgradableConn implements UpgradableConn {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly #socket: net.Socket;
  /** What it became; null while it may become either. */
  #chosen: Conn | null = null;
  #upgraded = false;
  #closed = false;
  #error: unknown = null;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    this.local = localAddress(socket);
    this.remote = remoteAddress(socket);
    // Unheard, it would end the process; heard too early, nobody would ever hear it again.
    socket.on("error", (error) => this.#error ??= error);
  }

  read(into: Uint8Array): Promise<number | null> {
    const conn = this.#plain();
    return conn instanceof Error ? Promise.reject(conn) : conn.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    const conn = this.#plain();
    return conn instanceof Error ? Promise.reject(conn) : conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    const conn = this.#plain();
    return conn instanceof Error ? Promise.reject(conn) : conn.closeWrite();
  }

  async upgrade(certificate: ServerCertificate): Promise<TlsConn> {
    if (this.#closed) throw closedError();
    if (this.#chosen !== null) throw usageError("upgrade");
    const broken = this.#broken();
    if (broken !== null) {
      this.close();
      throw broken;
    }
    try {
      const context = contexts.get(certificate) ?? secureContext(certificate);
      contexts.set(certificate, context);
      const conn = new NodeTlsConn(serverTlsSocket(this.#socket, context), this.#socket, "secure", false);
      this.#chosen = conn;
      this.#upgraded = true;
      await conn.handshake();
      return conn;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#chosen === null) this.#socket.destroy();
    else this.#chosen.close();
  }

  reset(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#chosen === null) resetSocket(this.#socket);
    else this.#chosen.reset();
  }

  /** The plain connection, or why there is none. */
  #plain(): Conn | Error {
    if (this.#closed) return closedError();
    if (this.#upgraded) return usageError("use the plain connection");
    if (this.#chosen !== null) return this.#chosen;
    const broken = this.#broken();
    if (broken !== null) return broken;
    this.#chosen = new DuplexConn(this.#socket, this.local, this.remote, () => resetSocket(this.#socket));
    return this.#chosen;
  }

  /** Events of a socket that ended before the choice do not come again. */
  #broken(): Error | null {
    if (this.#error instanceof Error) return this.#error;
    return this.#socket.destroyed ? closedError() : null;
  }
}

function usageError(action: string): NodePassError {
  return new NodePassError("usage", `Cannot ${action}: the connection is in use`);
}
