/**
 * WebSockets through `ws`, on both runtimes.
 *
 * @module
 */
import type { WebSockets } from "../types.ts";
import { connectWebSocket } from "./web_socket_connect.ts";
import { listenWebSocket } from "./web_socket_listener.ts";

/** Streams inside WebSockets. */
export const nodeWebSockets: WebSockets = { connect: connectWebSocket, listen: listenWebSocket };
