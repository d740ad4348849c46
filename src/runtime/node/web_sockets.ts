/**
 * WebSockets through `ws`, on both runtimes. They are loaded when they are first needed: `node:http` alone takes 30 ms,
 * because importing it reaches for all that it exports, Node's own WebSocket client among it.
 *
 * @module
 */
import type { WebSockets } from "../types.ts";

/** Streams inside WebSockets. */
export const nodeWebSockets: WebSockets = {
  connect: async (options) => await (await import("./web_socket_connect.ts")).connectWebSocket(options),
  listen: async (options) => await (await import("./web_socket_listener.ts")).listenWebSocket(options),
};
