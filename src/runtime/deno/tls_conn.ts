/**
 * A connection inside Deno's native TLS.
 *
 * @module
 */
import { formatAddress } from "../../address/ip.ts";
import { toNodePassError } from "../error_map.ts";
import { closedError } from "../node/pulled_conn.ts";
import type { SocketAddress, TlsConn } from "../types.ts";
import type { UnfinishedHandshakes } from "./unfinished_handshakes.ts";
import { denoAddress } from "./net.ts";

/** After the handshake, reads and writes are the native promises themselves. */
export class DenoTlsConn implements TlsConn {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly peerCertificate: null = null;
  readonly #conn: Deno.TlsConn;
  readonly #native: Promise<unknown>;
  readonly #result = Promise.withResolvers<void>();
  readonly #onClose: () => void;
  #state: "handshake" | "ready" | "failed" = "handshake";
  #closed = false;

  /**
   * @param unfinished counts this connection until its handshake is over
   * @param onClose called once, when it is closed
   */
  constructor(conn: Deno.TlsConn, unfinished: UnfinishedHandshakes, onClose: () => void = () => {}) {
    this.#conn = conn;
    this.#onClose = onClose;
    this.local = denoAddress(conn.localAddr);
    this.remote = denoAddress(conn.remoteAddr);
    this.#native = conn.handshake();
    unfinished.add(this.#native);
    this.#result.promise.catch(() => {});
    this.#native.then(() => {
      this.#state = "ready";
      this.#result.resolve();
    }, (error) => {
      this.#state = "failed";
      const action = `Cannot complete the TLS handshake with ${formatAddress(this.remote)}`;
      this.#result.reject(toNodePassError(error, action));
    });
  }

  handshake(): Promise<void> {
    return this.#result.promise;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#state === "ready" ? this.#conn.read(into) : this.handshake().then(() => this.#conn.read(into));
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#state === "ready" ? this.#conn.write(bytes) : this.handshake().then(() => this.#conn.write(bytes));
  }

  closeWrite(): Promise<void> {
    return this.#state === "ready" ? this.#conn.closeWrite() : this.handshake().then(() => this.#conn.closeWrite());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
    if (this.#state !== "handshake") return this.#conn.close();
    this.#result.reject(closedError());
    const free = (): void => this.#conn.close();
    this.#native.then(free, free);
  }

  /** Deno's sockets have no way to reset. */
  reset(): void {
    this.close();
  }
}
