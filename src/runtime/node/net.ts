/**
 * TCP on `node:net`.
 *
 * @module
 */
import type net from "node:net";
import { formatAddress } from "../../address/ip.ts";
import { Deadline } from "../deadline.ts";
import { toNodePassError } from "../error_map.ts";
import type { Conn, ConnectOptions, Listener, ListenOptions, Net } from "../types.ts";
import { AcceptQueue } from "./accept_queue.ts";
import { DuplexConn } from "./duplex_conn.ts";
import { listenSockets, localAddress, openSocket, remoteAddress, resetSocket, serverAddress } from "./sockets.ts";

/** TCP on `node:net`. */
export const nodeNet: Net = { connect, listen };

async function connect(options: ConnectOptions): Promise<Conn> {
  const action = `Cannot connect to ${formatAddress(options)}`;
  const deadline = new Deadline(options);
  try {
    return socketConn(await openSocket(options, deadline, action));
  } catch (error) {
    throw toNodePassError(error, action);
  } finally {
    deadline.end();
  }
}

async function listen(options: ListenOptions): Promise<Listener> {
  const queue = new AcceptQueue<Conn>();
  try {
    const server = await listenSockets(options, (socket) => queue.push(socketConn(socket)));
    return listenerOf(server, queue, `Cannot accept on ${formatAddress(serverAddress(server))}`);
  } catch (error) {
    throw toNodePassError(error, `Cannot listen on ${formatAddress(options)}`);
  }
}

/** A `Conn` over a connected socket. */
export function socketConn(socket: net.Socket): Conn {
  return new DuplexConn(socket, localAddress(socket), remoteAddress(socket), () => resetSocket(socket));
}

/** A `Listener` over a listening server whose connections go into `queue`. */
export function listenerOf<C extends Conn>(server: net.Server, queue: AcceptQueue<C>, action: string): Listener<C> {
  server.on("error", (error) => queue.fail(toNodePassError(error, action)));
  let closed = false;
  return {
    local: serverAddress(server),
    accept: () => queue.accept(),
    close() {
      if (closed) return;
      closed = true;
      server.close();
      for (const conn of queue.close()) conn.close();
    },
  };
}
