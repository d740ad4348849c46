/**
 * A tunnel port that does nothing but handshakes, and certificates of every quality.
 *
 * @module
 */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { messageOf } from "../../../../src/errors.ts";
import { detectRuntime } from "../../../../src/runtime/detect.ts";
import type { Conn, Listener, ServerCertificate, TlsConn } from "../../../../src/runtime/types.ts";
import type { Agreement, ServerTls, Transport } from "../../../../src/wire/secure/agreement.ts";
import { leafSha256OfChain } from "../../../../src/wire/secure/identity.ts";
import { readOpening } from "../../../../src/wire/secure/opening.ts";
import { parsePreface, type Preface, verifyPreface } from "../../../../src/wire/secure/preface.ts";
import type { RootSecret } from "../../../../src/wire/secure/root_secret.ts";
import { serverHandshake } from "../../../../src/wire/secure/server_handshake.ts";

/** The client waits for it, to know that the server got so far. */
const ONE_BYTE = new Uint8Array([1]);

/** How a stub listens. */
export interface StubOptions {
  readonly root: RootSecret;
  readonly tls: ServerTls;
  readonly certificate: ServerCertificate | null;
  readonly transport?: Transport;
  readonly port?: number;
  /** What a client hears on its control channel. @default one byte, which shows that the server got so far */
  readonly greeting?: Uint8Array;
}

/** Answers every opening until it is closed. */
export class StubServer {
  readonly port: number;
  readonly agreements: Agreement[] = [];
  readonly prefaces: Preface[] = [];
  readonly failures: string[] = [];
  accepted = 0;
  readonly #listener: Listener;
  readonly #options: StubOptions;
  readonly #leafSha256: Uint8Array | null;
  readonly #conns = new Set<Conn>();
  readonly #serving = new Set<Promise<void>>();
  readonly #running: Promise<void>;

  private constructor(listener: Listener, options: StubOptions, leafSha256: Uint8Array | null) {
    this.#listener = listener;
    this.#options = options;
    this.#leafSha256 = leafSha256;
    this.port = listener.local.port;
    this.#running = this.#run();
  }

  /** Runs a stub for as long as `use` takes. */
  static async run(options: StubOptions, use: (server: StubServer) => Promise<void>): Promise<void> {
    const server = await StubServer.#start(options);
    try {
      await use(server);
    } finally {
      await server.#close();
    }
  }

  static async #start(options: StubOptions): Promise<StubServer> {
    const { net, tls, webSockets } = await detectRuntime();
    const { certificate } = options;
    const at = { host: "127.0.0.1", port: options.port ?? 0 };
    const listener = options.transport === "websocket"
      ? await webSockets.listen({ ...at, path: "/tunnel", certificate, handshakeTimeoutMs: 5_000 })
      : certificate === null
      ? await net.listen(at)
      : await tls.listen({ ...at, certificate });
    return new StubServer(listener, options, certificate && await leafSha256OfChain(certificate.chainPem));
  }

  async #close(): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
    await this.#running;
    await Promise.all(this.#serving);
  }

  async #run(): Promise<void> {
    for (;;) {
      const conn = await this.#listener.accept();
      if (conn === null) return;
      this.accepted++;
      this.#conns.add(conn);
      const serving = this.#serve(conn).catch((error) => {
        this.failures.push(messageOf(error));
        conn.close();
      });
      this.#serving.add(serving);
    }
  }

  async #serve(conn: Conn & Partial<TlsConn>): Promise<void> {
    await conn.handshake?.();
    const opening = await readOpening(conn);
    const { root, tls, transport = "tcp", greeting = ONE_BYTE } = this.#options;
    if (opening.kind === "control") {
      const { random } = await detectRuntime();
      const options = { root, random, transport, tls, leafSha256: this.#leafSha256, resumeSecrets: () => [] };
      this.agreements.push(await serverHandshake(conn, opening.bytes, options));
      return void await conn.write(greeting);
    }
    if (await verifyPreface(this.agreements.at(-1)!.linkKey, opening.bytes)) {
      this.prefaces.push(parsePreface(opening.bytes));
    }
    await conn.write(ONE_BYTE);
  }
}

/** What a certificate is like. */
export interface CertificateWish {
  readonly name: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** @default false: signed by {@linkcode testAuthority} */
  readonly selfSigned?: boolean;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

interface TestAuthority {
  readonly pem: string;
  readonly name: string;
  readonly privateKey: CryptoKey;
}

/** An authority like those that the system trusts or not. */
export async function testAuthority(): Promise<TestAuthority> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const name = "CN=Test authority";
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  }, crypto);
  return { pem: certificate.toString("pem"), name, privateKey: keys.privateKey };
}

/** A server certificate of an authority. */
export async function testCertificate(authority: TestAuthority, wish: CertificateWish): Promise<ServerCertificate> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const subject = `CN=${wish.name}`;
  const selfSigned = wish.selfSigned === true;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: "02",
    subject,
    issuer: selfSigned ? subject : authority.name,
    notBefore: wish.notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: wish.notAfter ?? new Date(Date.now() + DAY_MS),
    publicKey: keys.publicKey,
    signingKey: selfSigned ? keys.privateKey : authority.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: wish.name }]),
    ],
  }, crypto);
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { chainPem: certificate.toString("pem"), keyPem: x509.PemConverter.encode(pkcs8, "PRIVATE KEY") };
}
