/**
 * How a client of the dialect of Go NodePass 1.14 reaches its server: handshakes and links.
 *
 * @module
 */
import { isIp } from "../../address/ip.ts";
import type { ClientConfig } from "../../config/types.ts";
import { NodePassError } from "../../errors.ts";
import type { Conn, ConnectOptions, TlsConn, TlsTrust } from "../../runtime/types.ts";
import { fingerprint } from "../../wire/nodepass_1_14/fingerprint.ts";
import { askTerms, type Terms } from "../../wire/nodepass_1_14/handshake.ts";
import { readLinkId } from "../../wire/nodepass_1_14/link_id.ts";
import { bearerToken } from "../../wire/nodepass_1_14/token.ts";
import type { TunnelContext } from "../context.ts";
import { ExtraRoots } from "../extra_roots.ts";
import { HTTPS_PORT } from "./port.ts";

/** The Go program sends this where no name is configured. */
const NO_NAME = "none";

/** How long a certificate that was verified is known again by its fingerprint. */
const VERIFIED_MS = 600_000;

/** What a server said, and where it is. */
export interface AskedTerms {
  readonly terms: Terms;
  /** IP of the server: its links go to the same machine. */
  readonly host: string;
}

/** A link that has its name. */
export interface NamedLink {
  readonly conn: Conn;
  readonly id: string;
  /** Fingerprint of the server's certificate; null in clear. */
  readonly seen: string | null;
}

/** A connection in TLS, and the fingerprint of the certificate on it. */
interface SeenLink {
  readonly conn: TlsConn;
  readonly seen: string;
}

/** See the module. */
export class ServerCalls114 {
  readonly #context: TunnelContext<ClientConfig>;
  readonly #extraRoots: ExtraRoots;
  #token: string | null = null;
  #verifying: Promise<SeenLink> | null = null;
  /** The certificate that was verified last. */
  #verified: { readonly seen: string; readonly until: number } | null = null;

  constructor(context: TunnelContext<ClientConfig>) {
    this.#context = context;
    this.#extraRoots = new ExtraRoots(context);
  }

  /**
   * Reads the extra trust roots again; true when they are others than before.
   *
   * @throws the file cannot be read: the roots before it stay
   */
  async reload(): Promise<boolean> {
    const changed = await this.#extraRoots.reload();
    if (changed) this.#verified = null;
    return changed;
  }

  /** One handshake. */
  async handshake(signal: AbortSignal): Promise<AskedTerms> {
    const { config, runtime } = this.#context;
    this.#token ??= await bearerToken(config.key.secret.reveal());
    const { host, port } = config.tunnel;
    const options = this.#options(host === "" ? "127.0.0.1" : host, signal);
    const conn = port === HTTPS_PORT ? await this.#connectTls(options, ANY) : await runtime.net.connect(options);
    const stop = (): void => conn.close();
    signal.addEventListener("abort", stop);
    try {
      signal.throwIfAborted();
      const { serverName, settings } = config;
      const terms = await askTerms(conn, {
        host: isIp(serverName) ? NO_NAME : serverName,
        token: this.#token,
        timeoutMs: settings.handshakeTimeoutMs,
        clock: runtime.clock,
      });
      return { terms, host: conn.remote.host };
    } finally {
      signal.removeEventListener("abort", stop);
      conn.close();
    }
  }

  /** Opens a connection to the pool and waits for its name. */
  async link({ terms, host }: AskedTerms, signal: AbortSignal): Promise<NamedLink> {
    const { config, runtime } = this.#context;
    const { conn, seen } = await this.#connect(terms, this.#options(host, signal));
    const stop = (): void => conn.close();
    signal.addEventListener("abort", stop);
    try {
      signal.throwIfAborted();
      return { conn, seen, id: await readLinkId(conn, config.settings.handshakeTimeoutMs, runtime.clock) };
    } catch (error) {
      conn.close();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  async #connect({ tls }: Terms, options: ConnectOptions): Promise<Omit<NamedLink, "id">> {
    const { net, clock } = this.#context.runtime;
    if (tls === 0) return { conn: await net.connect(options), seen: null };
    if (tls === 1) return await this.#seenOn(await this.#connectTls(options, ANY));
    // Deno reads all roots for each connection that is verified, some 45 ms: a certificate is known again without that.
    // TLS proves in any case that the server has its private key.
    await this.#verifying?.catch(() => {});
    if (this.#verified !== null && clock.now() < this.#verified.until) {
      const link = await this.#seenOn(await this.#connectTls(options, ANY));
      if (link.seen === this.#verified?.seen) return link;
      link.conn.close();
    }
    const verifying = this.#verifying = this.#verify(options);
    try {
      return await verifying;
    } finally {
      if (this.#verifying === verifying) this.#verifying = null;
    }
  }

  async #verify(options: ConnectOptions): Promise<SeenLink> {
    const link = await this.#seenOn(await this.#connectTls(options, await this.#roots()));
    this.#verified = { seen: link.seen, until: this.#context.runtime.clock.now() + VERIFIED_MS };
    return link;
  }

  async #seenOn(conn: TlsConn): Promise<SeenLink> {
    if (conn.peerCertificate !== null) return { conn, seen: await fingerprint(conn.peerCertificate) };
    conn.close();
    throw new NodePassError("certificate", "Cannot read the server's certificate");
  }

  #connectTls(options: ConnectOptions, trust: TlsTrust): Promise<TlsConn> {
    const { config, runtime } = this.#context;
    return runtime.tls.connect({ ...options, serverName: config.serverName, trust, wantPeerCertificate: true });
  }

  async #roots(): Promise<TlsTrust> {
    const extraCaPem = await this.#extraRoots.pem();
    return extraCaPem === null ? { kind: "system" } : { kind: "system", extraCaPem };
  }

  #options(host: string, signal: AbortSignal): ConnectOptions {
    const { config } = this.#context;
    return { host, port: config.tunnel.port, timeoutMs: config.settings.handshakeTimeoutMs, signal };
  }
}

/** Both ends compare what they saw: see `CertificateCheck`. */
const ANY: TlsTrust = { kind: "any" };
