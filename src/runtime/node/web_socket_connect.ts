/**
 * WebSocket clients.
 *
 * @module
 */
import type { Socket } from "node:net";
import { formatAddress, isIp } from "../../address/ip.ts";
import { NodePassError } from "../../errors.ts";
import { Deadline, withinDeadline } from "../deadline.ts";
import { toNodePassError } from "../error_map.ts";
import type { Conn, WebSocketConnectOptions } from "../types.ts";
import { localAddress, openSocket, remoteAddress } from "./sockets.ts";
import { secureSocket } from "./tls_connect.ts";
import { handshakeOf } from "./tls_handshake.ts";
import { WebSocketConn } from "./web_socket_conn.ts";
import { webSocketOptions } from "./web_socket_options.ts";

/** Connects, completes the upgrade and gives the stream inside it. */
export async function connectWebSocket(options: WebSocketConnectOptions): Promise<Conn> {
  const action = `Cannot connect to ${formatAddress(options)}`;
  const deadline = new Deadline(options);
  let socket: Socket | null = null;
  try {
    const { WebSocket } = await import("ws");
    const raw = socket = await openSocket(options, deadline, action);
    const carrier = await secure(raw, options, deadline, action);
    // `ws:` also inside TLS: the carrier is ready, so no second handshake must start.
    const url = `ws://${hostHeader(options.serverName, options.port, options.trust !== null)}${options.path}`;
    const webSocket = new WebSocket(url, { ...webSocketOptions, createConnection: () => carrier });
    return await new Promise<Conn>((resolve, reject) => {
      const giveUp = (): void => {
        raw.destroy();
        reject(deadline.error(action));
      };
      if (deadline.signal.aborted) giveUp();
      deadline.signal.addEventListener("abort", giveUp, { once: true });
      webSocket.once("error", reject);
      webSocket.once("unexpected-response", (_request, response) => {
        raw.destroy();
        const status = `${response.statusCode} ${response.statusMessage}`.trim();
        reject(new NodePassError("wire_mismatch", `${action}: the WebSocket upgrade was answered with ${status}`));
      });
      webSocket.once("open", () => {
        deadline.signal.removeEventListener("abort", giveUp);
        webSocket.off("error", reject);
        resolve(new WebSocketConn(webSocket, localAddress(raw), remoteAddress(raw)));
      });
    });
  } catch (error) {
    socket?.on("error", () => {});
    socket?.destroy();
    throw toNodePassError(error, action);
  } finally {
    deadline.end();
  }
}

async function secure(
  socket: Socket,
  options: WebSocketConnectOptions,
  deadline: Deadline,
  action: string,
): Promise<Socket> {
  const { serverName, trust } = options;
  if (trust === null) return socket;
  const tlsSocket = secureSocket(socket, { serverName, trust });
  await withinDeadline(handshakeOf(tlsSocket, socket, "secureConnect"), () => tlsSocket.destroy(), deadline, action);
  return tlsSocket;
}

/** The `Host:` of the request names the port unless it is the scheme's own. */
function hostHeader(name: string, port: number, encrypted: boolean): string {
  const host = isIp(name) && name.includes(":") ? `[${name}]` : name;
  return port === (encrypted ? 443 : 80) ? host : `${host}:${port}`;
}
