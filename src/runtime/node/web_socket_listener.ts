/**
 * WebSocket listeners: an HTTP server that knows one path.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type net from "node:net";
import process from "node:process";
import type { Duplex } from "node:stream";
import type tls from "node:tls";
import type { WebSocketServer } from "ws";
import { formatAddress } from "../../address/ip.ts";
import { toNodePassError } from "../error_map.ts";
import type { Conn, Listener, ServerCertificate, SocketAddress, WebSocketListenOptions } from "../types.ts";
import { AcceptQueue } from "./accept_queue.ts";
import { entered, EnteringSockets } from "./entering_sockets.ts";
import { listenSockets, localAddress, remoteAddress, serverAddress } from "./sockets.ts";
import { handshakeOf } from "./tls_handshake.ts";
import { secureContext, serverTlsSocket } from "./tls_server_socket.ts";
import { WebSocketConn } from "./web_socket_conn.ts";
import { webSocketOptions } from "./web_socket_options.ts";

// Not imported: a bundle puts its imports before everything, and importing this one loads all that it can do.
const http = process.getBuiltinModule("node:http");

/** Listens; `accept` gives streams whose upgrade is complete. */
export async function listenWebSocket(options: WebSocketListenOptions): Promise<WebSocketListener> {
  try {
    const { WebSocketServer } = await import("ws");
    const upgrades = new WebSocketServer({ noServer: true, clientTracking: false, ...webSocketOptions });
    const door = new Door(options, upgrades);
    return new WebSocketListener(await listenSockets(options, (socket) => door.enter(socket)), door);
  } catch (error) {
    throw toNodePassError(error, `Cannot listen on ${formatAddress(options)}`);
  }
}

/** The listener. */
export class WebSocketListener implements Listener {
  readonly local: SocketAddress;
  readonly #server: net.Server;
  readonly #door: Door;
  #closed = false;

  constructor(server: net.Server, door: Door) {
    this.#server = server;
    this.#door = door;
    this.local = serverAddress(server);
    const action = `Cannot accept on ${formatAddress(this.local)}`;
    server.on("error", (error) => door.queue.fail(toNodePassError(error, action)));
  }

  accept(): Promise<Conn | null> {
    return this.#door.queue.accept();
  }

  // deno-lint-ignore require-await
  async setCertificate(certificate: ServerCertificate): Promise<void> {
    this.#door.setCertificate(certificate);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    this.#door.close();
  }
}

/** Leads sockets through TLS and the upgrade; one that takes too long is destroyed. */
class Door {
  readonly queue: AcceptQueue<Conn> = new AcceptQueue();
  readonly #http = http.createServer();
  readonly #upgrades: WebSocketServer;
  readonly #options: WebSocketListenOptions;
  readonly #entering = new EnteringSockets();
  /** The plain socket under what the HTTP server sees. */
  readonly #plain = new WeakMap<Duplex, net.Socket>();
  #context: tls.SecureContext | null = null;

  constructor(options: WebSocketListenOptions, upgrades: WebSocketServer) {
    this.#options = options;
    this.#upgrades = upgrades;
    if (options.certificate !== null) this.setCertificate(options.certificate);
    this.#http.on("request", (request, response) => {
      const status = this.#knows(request) ? 426 : 404;
      response.writeHead(status, { connection: "close", ...(status === 426 ? { upgrade: "websocket" } : {}) });
      response.end(`${http.STATUS_CODES[status]}\n`);
    });
    this.#http.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#http.on("clientError", (_error, socket) => socket.destroy());
    // Limits of our own, below, cover the whole way in.
    this.#http.keepAliveTimeout = options.handshakeTimeoutMs;
  }

  setCertificate(certificate: ServerCertificate): void {
    this.#context = secureContext(certificate);
  }

  enter(socket: net.Socket): void {
    this.#entering.add(socket);
    const timer = setTimeout(() => socket.destroy(), this.#options.handshakeTimeoutMs);
    socket.once("close", () => clearTimeout(timer));
    socket.once(entered, () => clearTimeout(timer));
    socket.on("error", () => socket.destroy());
    if (this.#context === null) return this.#serve(socket, socket);
    const tlsSocket = serverTlsSocket(socket, this.#context);
    handshakeOf(tlsSocket, socket, "secure").then(
      () => this.#serve(tlsSocket, socket),
      () => socket.destroy(),
    );
  }

  close(): void {
    this.#entering.destroy();
    for (const conn of this.queue.close()) conn.close();
    this.#http.close();
    this.#upgrades.close();
  }

  #serve(carrier: net.Socket, socket: net.Socket): void {
    this.#plain.set(carrier, socket);
    this.#http.emit("connection", carrier);
  }

  #upgrade(request: IncomingMessage, carrier: Duplex, head: Buffer): void {
    const socket = this.#plain.get(carrier);
    if (socket === undefined || !this.#knows(request)) {
      carrier.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    this.#upgrades.handleUpgrade(request, carrier, head, (webSocket) => {
      socket.emit(entered);
      this.queue.push(new WebSocketConn(webSocket, localAddress(socket), remoteAddress(socket)));
    });
  }

  #knows(request: IncomingMessage): boolean {
    return (request.url ?? "").split("?", 1)[0] === this.#options.path;
  }
}
