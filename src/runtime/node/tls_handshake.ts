/**
 * When a `node:tls` handshake is over, and how.
 *
 * @module
 */
import type net from "node:net";
import type tls from "node:tls";
import { formatAddress } from "../../address/ip.ts";
import { NodePassError } from "../../errors.ts";
import { toNodePassError } from "../error_map.ts";
import { remoteAddress } from "./sockets.ts";

/**
 * Resolves after the handshake. Whoever calls must do it in the tick in which `tlsSocket` was made.
 *
 * @param socket the plain socket underneath
 * @param done `secure` on a server, `secureConnect` (finished and verified) on a client
 */
export function handshakeOf(
  tlsSocket: tls.TLSSocket,
  socket: net.Socket,
  done: "secure" | "secureConnect",
): Promise<void> {
  const action = `Cannot complete the TLS handshake with ${formatAddress(remoteAddress(socket))}`;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => {});
  // The plain socket's errors reach the TLS socket too; unheard here they would end the process.
  socket.on("error", () => {});
  tlsSocket.on("error", (error: unknown) => reject(toNodePassError(error, action)));
  const cutShort = (): void =>
    reject(new NodePassError("connection_reset", `${action}: the other side ended the connection too early`));
  tlsSocket.once("end", cutShort);
  tlsSocket.once("close", cutShort);
  tlsSocket.once(done, () => {
    tlsSocket.off("end", cutShort);
    tlsSocket.off("close", cutShort);
    resolve();
  });
  return promise;
}
