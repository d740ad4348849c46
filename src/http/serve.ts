/**
 * An HTTP server with limits on everything that a stranger can send or hold.
 *
 * @module
 */
// The servers of the web API of both runtimes have no limits on headers, on time or on connections.
import http from "node:http";
// The same inside TLS.
import https from "node:https";
// What a certificate and its key are: web crypto reads no PEM.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { getRequestListener } from "@hono/node-server";
import { formatAddress, normalizeIp } from "../address/ip.ts";
import { messageOf, NodePassError } from "../errors.ts";
import type { Logger } from "../log/types.ts";
import type { Runtime, ServerCertificate, SocketAddress } from "../runtime/types.ts";
import type { Connection } from "./connection.ts";
import { type GuestLimits, Guests } from "./guests.ts";

/** Limits of a server. */
export interface ServeLimits {
  readonly headerBytes: number;
  /** For the TLS handshake, and again for the headers of each request. */
  readonly headersMs: number;
  /** For a whole request. */
  readonly requestMs: number;
  /** For the next request on a connection. */
  readonly idleMs: number;
  readonly guests: Partial<GuestLimits>;
}

/** Limits of every server. */
export const SERVE_LIMITS: ServeLimits = {
  headerBytes: 16 * 1024,
  headersMs: 5_000,
  requestMs: 30_000,
  idleMs: 60_000,
  guests: {},
};

/** How often the runtime looks for requests that take too long. */
const CHECK_MS = 250;
const KEEP_ALIVE_PROBE_MS = 30_000;

/** Options of {@linkcode serveHttp}. */
export interface ServeOptions {
  /** An empty host listens on all addresses. */
  readonly listen: SocketAddress;
  /** null: plain HTTP. */
  readonly certificate: ServerCertificate | null;
  /** PEM of the authority whose certificates callers must show. @default null: they need none */
  readonly clientCaPem?: string | null;
  readonly fetch: (request: Request, connection: Connection) => Response | Promise<Response>;
  readonly runtime: Pick<Runtime, "clock" | "toError">;
  readonly logger: Logger;
  readonly limits?: Partial<ServeLimits>;
}

/** A server that listens. */
export interface HttpServer {
  readonly addr: SocketAddress;
  /** Connections now. */
  readonly connections: number;
  /** Connections that have not sent a complete request. */
  readonly opening: number;
  /**
   * Shows another certificate from now on; established connections stay.
   *
   * @throws {NodePassError} `certificate` when it cannot be used: the old one stays
   */
  setCertificate(certificate: ServerCertificate): void;
  /** Stops listening, lets requests come to their end within `graceMs`, then ends every connection. Idempotent. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Listens and answers.
 *
 * @throws {NodePassError} when it cannot listen, or the certificate cannot be used
 */
export async function serveHttp(options: ServeOptions): Promise<HttpServer> {
  const { listen, runtime } = options;
  const action = `Cannot listen on ${formatAddress(listen)}`;
  const hosts = listen.host === "" ? ["::", "0.0.0.0"] : [listen.host];
  for (const [index, host] of hosts.entries()) {
    const server = new Server(options);
    try {
      await server.open(host, listen.port);
      return server;
    } catch (error) {
      await server.close();
      const { code } = runtime.toError(error);
      // A machine without IPv6 listens everywhere on IPv4.
      if (index === hosts.length - 1 || code === "address_in_use" || code === "permission_denied") {
        throw runtime.toError(error, action);
      }
    }
  }
  throw new NodePassError("address_not_available", action);
}

class Server implements HttpServer {
  readonly #server: http.Server | https.Server;
  readonly #guests: Guests;
  readonly #clock: Runtime["clock"];
  readonly #clientCa: string | null;
  #addr: SocketAddress = { host: "", port: 0 };
  #closed: Promise<void> | null = null;

  constructor({ certificate, clientCaPem = null, fetch, runtime, logger, limits }: ServeOptions) {
    const { headerBytes, headersMs, requestMs, idleMs, guests } = { ...SERVE_LIMITS, ...limits };
    this.#clock = runtime.clock;
    this.#clientCa = clientCaPem;
    this.#guests = new Guests(runtime.clock, guests);
    const options = {
      maxHeaderSize: headerBytes,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: CHECK_MS,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
    };
    const server = certificate === null
      ? http.createServer(options)
      : https.createServer({ ...options, handshakeTimeout: headersMs, ...secureOptions(certificate, clientCaPem) });
    this.#server = server;
    const listener = getRequestListener((request, { incoming, outgoing }) => {
      const { socket } = incoming as http.IncomingMessage;
      return fetch(request, {
        incoming: incoming as http.IncomingMessage,
        outgoing: outgoing as http.ServerResponse,
        admit: () => this.#guests.admit(socket),
      });
    }, {
      hostname: "localhost",
      // This may be somebody else's program.
      overrideGlobalObjects: false,
      // A body that nobody wanted ends with its connection instead of being read to its end.
      autoCleanupIncoming: false,
    });
    server.on("connection", (socket) => this.#guests.enter(socket));
    server.on("request", (incoming, outgoing) => {
      this.#guests.request(incoming.socket);
      if (this.#closed !== null) outgoing.setHeader("Connection", "close");
      outgoing.once("finish", () => this.#closed !== null && setImmediate(() => this.#server.closeIdleConnections()));
      listener(incoming, outgoing).catch((error) => {
        logger.error("An answer could not be sent", { reason: messageOf(error) });
        incoming.socket.destroy();
      });
    });
    // Without a listener an error after the start, such as no descriptor left, would end the process.
    server.on("error", (error) => this.#addr.port > 0 && logger.warn("API listener", { reason: messageOf(error) }));
  }

  get addr(): SocketAddress {
    return this.#addr;
  }

  get connections(): number {
    return this.#guests.size;
  }

  get opening(): number {
    return this.#guests.opening;
  }

  open(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off("error", reject);
        const address = this.#server.address();
        if (typeof address === "object" && address !== null) {
          this.#addr = { host: normalizeIp(address.address), port: address.port };
        }
        resolve();
      });
    });
  }

  setCertificate(certificate: ServerCertificate): void {
    if ("setSecureContext" in this.#server) this.#server.setSecureContext(secureOptions(certificate, this.#clientCa));
  }

  close({ graceMs = 0 }: { readonly graceMs?: number } = {}): Promise<void> {
    return this.#closed ??= this.#end(graceMs);
  }

  async #end(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const destroy = (): void => this.#guests.destroyAll();
    const timer = graceMs > 0 ? this.#clock.after(graceMs, destroy) : null;
    if (timer === null) destroy();
    await closed;
    timer?.cancel();
    this.#guests.close();
  }
}

/** What connections are encrypted with. */
function secureOptions({ chainPem, keyPem }: ServerCertificate, clientCa: string | null): https.ServerOptions {
  try {
    // Deno takes any pair here and fails at each handshake.
    if (!new X509Certificate(chainPem).checkPrivateKey(createPrivateKey(keyPem))) {
      throw new Error("the private key does not belong to it");
    }
    const callers = clientCa === null ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
    return { cert: chainPem, key: keyPem, minVersion: "TLSv1.2", ...callers };
  } catch (error) {
    throw new NodePassError("certificate", `Cannot use the certificate: ${messageOf(error)}`, { cause: error });
  }
}
