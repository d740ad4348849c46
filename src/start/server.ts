/**
 * The tunnel server as a library.
 *
 * @module
 */
import type { ServerConfig } from "../config/types.ts";
import type { TunnelHandle } from "../tunnel/types.ts";
import { configure } from "./configure.ts";
import type { StartOptions } from "./options.ts";
import { startTunnel } from "./tunnel.ts";

export type { ServerConfig, StartOptions, TunnelHandle };

/**
 * Starts a tunnel server. Resolves when it listens.
 *
 * @example A server for services behind NAT: visitors of port 8080 reach the target of the client
 * ```ts
 * import { startServer } from "nodepass/server";
 *
 * const key = "npk1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"; // yours comes from "nodepass keygen"
 * await using server = await startServer(`server://${key}@127.0.0.1:0/127.0.0.1:0?mode=1`);
 * console.log(server.addr?.port, server.entries[0]?.port);
 * ```
 *
 * @param source a `server://` URL, or a configuration from `parseTunnelUrl`
 * @param options signal, logger, reports
 * @throws {NodePassError} `usage` for a bad URL; otherwise what kept it from listening
 */
export async function startServer(source: string | ServerConfig, options: StartOptions = {}): Promise<TunnelHandle> {
  return await startTunnel(await configure(source, "server", options), options);
}
