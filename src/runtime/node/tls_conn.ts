/**
 * A connection inside `node:tls`.
 *
 * @module
 */
import type net from "node:net";
import type tls from "node:tls";
import type { TlsConn } from "../types.ts";
import { DuplexConn } from "./duplex_conn.ts";
import { closedError } from "./pulled_conn.ts";
import { localAddress, remoteAddress, resetSocket } from "./sockets.ts";
import { handshakeOf } from "./tls_handshake.ts";

/** TLS over a socket that stays known, because only it can reset the connection. */
export class NodeTlsConn extends DuplexConn implements TlsConn {
  readonly #result = Promise.withResolvers<void>();
  #peerCertificate: Uint8Array | null = null;

  /**
   * @param tlsSocket wraps `socket`; made in this tick
   * @param done the event that means a finished handshake, see {@linkcode handshakeOf}
   */
  constructor(tlsSocket: tls.TLSSocket, socket: net.Socket, done: "secure" | "secureConnect", wantPeer: boolean) {
    super(tlsSocket, localAddress(socket), remoteAddress(socket), () => resetSocket(socket));
    // Node forgets the certificate when the connection ends.
    if (wantPeer) tlsSocket.once(done, () => this.#keepCertificate(tlsSocket));
    this.#result.promise.catch(() => {});
    handshakeOf(tlsSocket, socket, done).then(this.#result.resolve, this.#result.reject);
  }

  get peerCertificate(): Uint8Array | null {
    return this.#peerCertificate;
  }

  handshake(): Promise<void> {
    return this.#result.promise;
  }

  override close(): void {
    this.#result.reject(closedError());
    super.close();
  }

  override reset(): void {
    this.#result.reject(closedError());
    super.reset();
  }

  #keepCertificate(tlsSocket: tls.TLSSocket): void {
    const { raw } = tlsSocket.getPeerCertificate();
    if (raw !== undefined) this.#peerCertificate = new Uint8Array(raw);
  }
}
