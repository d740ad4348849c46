/**
 * A connection inside `node:tls`.
 *
 * @module
 */
import type net from "node:net";
import type tls from "node:tls";
import type { TlsConn } from "../types.ts";
import { DuplexConn } from "./duplex_conn.ts";
import { localAddress, remoteAddress } from "./sockets.ts";
import { handshakeOf } from "./tls_handshake.ts";

/** TLS over a socket that stays known, because only it can reset the connection. */
export class NodeTlsConn extends DuplexConn implements TlsConn {
  readonly #handshake: Promise<void>;
  readonly #tlsSocket: tls.TLSSocket;
  readonly #wantPeer: boolean;

  /**
   * @param tlsSocket wraps `socket`; made in this tick
   * @param done the event that means a finished handshake, see {@linkcode handshakeOf}
   */
  constructor(tlsSocket: tls.TLSSocket, socket: net.Socket, done: "secure" | "secureConnect", wantPeer: boolean) {
    super(tlsSocket, localAddress(socket), remoteAddress(socket), () => socket.resetAndDestroy());
    this.#tlsSocket = tlsSocket;
    this.#wantPeer = wantPeer;
    this.#handshake = handshakeOf(tlsSocket, socket, done);
  }

  get peerCertificate(): Uint8Array | null {
    if (!this.#wantPeer) return null;
    const certificate = this.#tlsSocket.getPeerCertificate();
    return certificate?.raw === undefined ? null : new Uint8Array(certificate.raw);
  }

  handshake(): Promise<void> {
    return this.#handshake;
  }
}
