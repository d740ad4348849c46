/**
 * The tunnel port of a server: one listener for handshakes and, after one, for the links of its client.
 *
 * @module
 */
import type { ServerConfig } from "../../config/types.ts";
import { messageOf, NodePassError } from "../../errors.ts";
import type { Conn, Listener, Runtime, ServerCertificate, SocketAddress, UpgradableConn } from "../../runtime/types.ts";
import { fingerprint } from "../../wire/nodepass_1_14/fingerprint.ts";
import { firstCertificate } from "../../wire/secure/pem.ts";
import { selfSignedCertificate } from "../../wire/self_signed.ts";
import type { DoorPort } from "../accept/front_door.ts";
import { readCertificate } from "../accept/leaf.ts";

/** The port on which handshakes are HTTPS. */
export const HTTPS_PORT = 443;

/** Accepted, and plain until somebody decides otherwise. */
export type PortConn = Conn & Partial<Pick<UpgradableConn, "upgrade">>;

/** A connection and what its client sees of the server. */
export interface SecuredConn {
  readonly conn: Conn;
  /** Fingerprint of the certificate; null in clear. */
  readonly seen: string | null;
}

/** A certificate and its name in signals. */
interface Shown {
  readonly certificate: ServerCertificate;
  readonly fingerprint: string;
}

/** See the module. */
export class ServerPort implements DoorPort<PortConn> {
  readonly openingMs: number;
  readonly #config: ServerConfig;
  readonly #runtime: Runtime;
  readonly #listener: Listener<PortConn>;
  #shown: Shown | null;

  private constructor(runtime: Runtime, config: ServerConfig, listener: Listener<PortConn>, shown: Shown | null) {
    this.#runtime = runtime;
    this.#config = config;
    this.#listener = listener;
    this.#shown = shown;
    this.openingMs = config.settings.handshakeTimeoutMs;
  }

  /** @throws {NodePassError} the address cannot be bound, or the certificate files are no good */
  static async open(runtime: Runtime, config: ServerConfig): Promise<ServerPort> {
    const needed = config.tls.kind !== "plain" || config.tunnel.port === HTTPS_PORT;
    const shown = needed ? await show(await initialCertificate(runtime, config)) : null;
    const listener = needed
      ? await runtime.tls.listenUpgradable(config.tunnel)
      : await runtime.net.listen(config.tunnel);
    return new ServerPort(runtime, config, listener, shown);
  }

  get local(): SocketAddress {
    return this.#listener.local;
  }

  get hasFiles(): boolean {
    return this.#config.tls.kind === "files";
  }

  accept(): Promise<PortConn | null> {
    return this.#listener.accept();
  }

  /** A connection that is for a handshake. */
  forHandshake(conn: PortConn): Promise<SecuredConn> {
    return this.#secured(conn, this.#config.tunnel.port === HTTPS_PORT);
  }

  /** A connection that is for a link. */
  forLink(conn: PortConn): Promise<SecuredConn> {
    return this.#secured(conn, this.#config.tls.kind !== "plain");
  }

  async reload(): Promise<boolean> {
    if (this.#config.tls.kind !== "files") return false;
    const { certificate } = await readCertificate(this.#runtime.files, this.#config.tls.files);
    const old = this.#shown?.certificate;
    if (old?.chainPem === certificate.chainPem && old.keyPem === certificate.keyPem) return false;
    this.#shown = await show(certificate);
    return true;
  }

  close(): void {
    this.#listener.close();
  }

  async #secured(conn: PortConn, wanted: boolean): Promise<SecuredConn> {
    if (!wanted) return { conn, seen: null };
    const shown = this.#shown;
    if (shown === null || conn.upgrade === undefined) {
      throw new NodePassError("certificate", "Cannot serve TLS: there is no certificate");
    }
    return { conn: await conn.upgrade(shown.certificate), seen: shown.fingerprint };
  }
}

async function initialCertificate(runtime: Runtime, { tls, tunnel }: ServerConfig): Promise<ServerCertificate> {
  if (tls.kind === "files") return (await readCertificate(runtime.files, tls.files)).certificate;
  const names = [tunnel.host, "localhost"].filter((host) => host !== "");
  return await selfSignedCertificate("NodePass", names, runtime.random);
}

async function show(certificate: ServerCertificate): Promise<Shown> {
  try {
    return { certificate, fingerprint: await fingerprint(firstCertificate(certificate.chainPem)!) };
  } catch (cause) {
    throw new NodePassError("certificate", `Cannot use the certificate: ${messageOf(cause)}`, { cause });
  }
}
