/**
 * A TLS listener on `node:tls` whose `accept` does not wait for handshakes.
 *
 * @module
 */
import type net from "node:net";
import type tls from "node:tls";
import { formatAddress } from "../../address/ip.ts";
import { toNodePassError } from "../error_map.ts";
import type { ListenOptions, ServerCertificate, SocketAddress, TlsListener } from "../types.ts";
import { AcceptQueue } from "./accept_queue.ts";
import { listenSockets, serverAddress } from "./sockets.ts";
import { NodeTlsConn } from "./tls_conn.ts";
import { secureContext, serverTlsSocket } from "./tls_server_socket.ts";

/** Listens with a certificate; rejects with the platform's error. */
export async function openNodeTlsListener(
  options: ListenOptions,
  certificate: ServerCertificate,
): Promise<NodeTlsListener> {
  const queue = new AcceptQueue<NodeTlsConn>();
  const context = secureContext(certificate);
  const listener: { current: NodeTlsListener | null } = { current: null };
  const server = await listenSockets(options, (socket) => {
    const tlsSocket = serverTlsSocket(socket, listener.current?.context ?? context);
    queue.push(new NodeTlsConn(tlsSocket, socket, "secure", false));
  });
  listener.current = new NodeTlsListener(server, queue, context);
  return listener.current;
}

/** The listener; its certificate is looked up at each connection. */
export class NodeTlsListener implements TlsListener {
  readonly local: SocketAddress;
  readonly #server: net.Server;
  readonly #queue: AcceptQueue<NodeTlsConn>;
  #context: tls.SecureContext;
  #stopped: Promise<NodeTlsConn[]> | null = null;

  constructor(server: net.Server, queue: AcceptQueue<NodeTlsConn>, context: tls.SecureContext) {
    this.#server = server;
    this.#queue = queue;
    this.#context = context;
    this.local = serverAddress(server);
    const action = `Cannot accept on ${formatAddress(this.local)}`;
    server.on("error", (error) => queue.fail(toNodePassError(error, action)));
  }

  /** What new connections are encrypted with. */
  get context(): tls.SecureContext {
    return this.#context;
  }

  accept(): Promise<NodeTlsConn | null> {
    return this.#queue.accept();
  }

  // deno-lint-ignore require-await
  async setCertificate(certificate: ServerCertificate): Promise<void> {
    this.#context = secureContext(certificate);
  }

  /** Frees the port and hands out the connections that nobody accepted yet. */
  stop(): Promise<NodeTlsConn[]> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  close(): void {
    void this.stop().then((left) => {
      for (const conn of left) conn.close();
    });
  }

  // deno-lint-ignore require-await
  async #stop(): Promise<NodeTlsConn[]> {
    this.#server.close();
    return this.#queue.close();
  }
}
