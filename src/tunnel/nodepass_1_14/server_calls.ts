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
import { HTTPS_PORT } from "./port.ts";

/** The Go program sends this where no name is configured. */
const NO_NAME = "none";

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

/** See the module. */
export class ServerCalls114 {
  readonly #context: TunnelContext<ClientConfig>;
  #token: string | null = null;
  #extraCaPem: string | null = null;

  constructor(context: TunnelContext<ClientConfig>) {
    this.#context = context;
  }

  /**
   * Reads the extra trust roots again; true when they are others than before.
   *
   * @throws the file cannot be read: the roots before it stay
   */
  async reload(): Promise<boolean> {
    const { config, runtime } = this.#context;
    const before = this.#extraCaPem;
    if (config.extraCa !== null) this.#extraCaPem = await runtime.files.readText(config.extraCa);
    return this.#extraCaPem !== before;
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
    if (tls === 0) return { conn: await this.#context.runtime.net.connect(options), seen: null };
    const conn = await this.#connectTls(options, tls === 1 ? ANY : await this.#roots());
    if (conn.peerCertificate === null) {
      conn.close();
      throw new NodePassError("certificate", "Cannot read the server's certificate");
    }
    return { conn, seen: await fingerprint(conn.peerCertificate) };
  }

  #connectTls(options: ConnectOptions, trust: TlsTrust): Promise<TlsConn> {
    const { config, runtime } = this.#context;
    return runtime.tls.connect({ ...options, serverName: config.serverName, trust, wantPeerCertificate: true });
  }

  async #roots(): Promise<TlsTrust> {
    const { config, runtime } = this.#context;
    if (config.extraCa === null) return { kind: "system" };
    this.#extraCaPem ??= await runtime.files.readText(config.extraCa);
    return { kind: "system", extraCaPem: this.#extraCaPem };
  }

  #options(host: string, signal: AbortSignal): ConnectOptions {
    const { config } = this.#context;
    return { host, port: config.tunnel.port, timeoutMs: config.settings.handshakeTimeoutMs, signal };
  }
}

/** Both ends compare what they saw: see `CertificateCheck`. */
const ANY: TlsTrust = { kind: "any" };
