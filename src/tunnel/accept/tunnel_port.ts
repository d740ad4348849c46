/**
 * The listener of the tunnel port, whatever lies between it and the opening, and its certificate.
 *
 * @module
 */
import type { ServerConfig } from "../../config/types.ts";
import { NodePassError } from "../../errors.ts";
import type { Conn, Listener, Runtime, ServerCertificate, SocketAddress, TlsConn } from "../../runtime/types.ts";
import { pinCertificate, type PinnedCertificate, readCertificate } from "./leaf.ts";

/** A connection that may have a TLS handshake before it. */
export type ArrivingConn = Conn & Partial<Pick<TlsConn, "handshake">>;

/** A listener whose certificate may be replaced. */
type PortListener = Listener<ArrivingConn> & { setCertificate?(certificate: ServerCertificate): Promise<void> };

/** Listens by the configured transport and TLS mode. */
export class TunnelPort {
  /** How long one connection may take from `accept` to the end of its handshake. */
  readonly openingMs: number;
  readonly #listener: PortListener;
  readonly #config: ServerConfig;
  readonly #runtime: Runtime;
  #pinned: PinnedCertificate | null;
  /** Leaves that were current when connections arrived: a connection outlives a swap. */
  readonly #shown = new WeakMap<Conn, Uint8Array>();

  private constructor(
    runtime: Runtime,
    config: ServerConfig,
    listener: PortListener,
    pinned: PinnedCertificate | null,
    openingMs: number,
  ) {
    this.#runtime = runtime;
    this.#config = config;
    this.#listener = listener;
    this.#pinned = pinned;
    this.openingMs = openingMs;
  }

  /**
   * @param derived the leaf for `tls=1`
   * @param shared other workers listen on the port too
   * @throws {NodePassError} the address cannot be bound, or the certificate files are no good
   */
  static async open(
    runtime: Runtime,
    config: ServerConfig,
    derived: ServerCertificate | null,
    shared = false,
  ): Promise<TunnelPort> {
    const pinned = await initialCertificate(runtime, config, derived);
    const certificate = pinned?.certificate ?? null;
    const address = { host: config.tunnel.host, port: config.tunnel.port, shared };
    const limitMs = config.settings.handshakeTimeoutMs;
    if (config.transport === "websocket") {
      // The upgrade runs inside the listener: it and the opening behind it share the time.
      const handshakeTimeoutMs = Math.ceil(limitMs / 2);
      const listener = await runtime.webSockets.listen({
        ...address,
        path: config.path,
        certificate,
        handshakeTimeoutMs,
      });
      return new TunnelPort(runtime, config, listener, pinned, limitMs - handshakeTimeoutMs);
    }
    const listener = certificate === null
      ? await runtime.net.listen(address)
      : await runtime.tls.listen({ ...address, certificate });
    return new TunnelPort(runtime, config, listener, pinned, limitMs);
  }

  get local(): SocketAddress {
    return this.#listener.local;
  }

  /** Whether there are certificate files to read again. */
  get hasFiles(): boolean {
    return this.#config.tls.kind === "files";
  }

  async accept(): Promise<ArrivingConn | null> {
    const conn = await this.#listener.accept();
    if (conn !== null && this.#pinned !== null) this.#shown.set(conn, this.#pinned.leafSha256);
    return conn;
  }

  leafSha256(conn?: Conn): Uint8Array | null {
    return (conn === undefined ? undefined : this.#shown.get(conn)) ?? this.#pinned?.leafSha256 ?? null;
  }

  /**
   * Reads the files again and uses them when they changed; true when they did.
   *
   * @throws {NodePassError} the files are no good: the old certificate stays
   */
  async reload(): Promise<boolean> {
    if (this.#config.tls.kind !== "files") return false;
    const fresh = await readCertificate(this.#runtime.files, this.#config.tls.files);
    const old = this.#pinned?.certificate;
    if (old?.chainPem === fresh.certificate.chainPem && old.keyPem === fresh.certificate.keyPem) return false;
    await this.#listener.setCertificate?.(fresh.certificate);
    this.#pinned = fresh;
    return true;
  }

  close(): void {
    this.#listener.close();
  }
}

async function initialCertificate(
  runtime: Runtime,
  config: ServerConfig,
  derived: ServerCertificate | null,
): Promise<PinnedCertificate | null> {
  switch (config.tls.kind) {
    case "plain":
      return null;
    case "derived":
      if (derived === null) throw new NodePassError("certificate", "Cannot listen with tls=1: no derived certificate");
      return await pinCertificate(derived);
    case "files":
      return await readCertificate(runtime.files, config.tls.files);
  }
}
