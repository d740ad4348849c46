/**
 * `node:net` sockets with the options that every connection of the product has.
 *
 * @module
 */
import net from "node:net";
import { isIp } from "../../address/ip.ts";
import type { Deadline } from "../deadline.ts";
import type { ConnectOptions, ListenOptions, SocketAddress } from "../types.ts";
import { openOn, socketAddress } from "../wildcard.ts";
import { watchDescriptors } from "./descriptor_watch.ts";

/** Half-close is ours to decide; Nagle's delay is off; a dead peer shows after minutes, not hours. */
const socketOptions = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
} as const;

/** Connects; rejects with the platform's error, or with the deadline's. */
export function openSocket(options: ConnectOptions, deadline: Deadline, action: string): Promise<net.Socket> {
  const { host, port, localHost } = options;
  return new Promise((resolve, reject) => {
    if (deadline.signal.aborted) return reject(deadline.error(action));
    const socket = net.connect({
      ...socketOptions,
      host,
      port,
      // A name may have addresses of both families; only those of the source address can be reached from it.
      ...(localHost === undefined ? {} : { localAddress: localHost, family: isIp(host) ? 0 : net.isIP(localHost) }),
    });
    const settle = (): void => {
      deadline.signal.removeEventListener("abort", onAbort);
      socket.off("connect", onConnect);
      socket.off("error", onError);
    };
    const onAbort = (): void => {
      settle();
      socket.on("error", () => {});
      socket.destroy();
      reject(deadline.error(action));
    };
    const onConnect = (): void => {
      settle();
      resolve(socket);
    };
    const onError = (error: Error): void => {
      settle();
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    deadline.signal.addEventListener("abort", onAbort);
    socket.on("connect", onConnect);
    socket.on("error", onError);
  });
}

/** Listens and hands every socket to `onSocket`. */
export function listenSockets(options: ListenOptions, onSocket: (socket: net.Socket) => void): Promise<net.Server> {
  return openOn(options.host, (host) =>
    new Promise<net.Server>((resolve, reject) => {
      const server = net.createServer(socketOptions, onSocket);
      server.once("error", reject);
      server.listen({ host, port: options.port, ...(options.shared ? { reusePort: true } : {}) }, () => {
        server.off("error", reject);
        watchDescriptors(server);
        resolve(server);
      });
    }));
}

/** Ends a connection with a reset, or a plain close where a reset would lose the descriptor. */
export function resetSocket(socket: net.Socket): void {
  // libuv refuses a reset while the sending direction is being ended, and Node then never closes the socket.
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}

/** Where a server listens. */
export function serverAddress(server: net.Server): SocketAddress {
  const address = server.address();
  return typeof address === "object" && address !== null
    ? socketAddress(address.address, address.port)
    : socketAddress("", 0);
}

/** Our end of a socket. */
export function localAddress(socket: net.Socket): SocketAddress {
  return socketAddress(socket.localAddress, socket.localPort);
}

/** The other end of a socket. */
export function remoteAddress(socket: net.Socket): SocketAddress {
  return socketAddress(socket.remoteAddress, socket.remotePort);
}
