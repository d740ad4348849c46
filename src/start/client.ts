/**
 * The tunnel client as a library.
 *
 * @module
 */
import type { ClientConfig } from "../config/types.ts";
import type { TunnelHandle } from "../tunnel/types.ts";
import { configure } from "./configure.ts";
import type { StartOptions } from "./options.ts";
import { startTunnel } from "./tunnel.ts";

export type { ClientConfig, StartOptions, TunnelHandle };

/**
 * Starts a tunnel client. Resolves after its first attempt to reach the server: it goes on trying until it is closed.
 * With `mode=1`, or `mode=0` and a free tunnel address, it forwards by itself instead (see `startForward`).
 *
 * @example Both ends in one process
 * ```ts
 * import { startClient } from "nodepass/client";
 * import { startServer } from "nodepass/server";
 *
 * const key = "npk1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
 * await using server = await startServer(`server://${key}@127.0.0.1:0/127.0.0.1:0?mode=1`);
 * const { port } = server.addr!;
 * await using client = await startClient(`client://${key}@127.0.0.1:${port}/127.0.0.1:80?mode=2&min=2`);
 * console.log(client.stats().peers.length); // 1
 * ```
 *
 * @param source a `client://` URL, or a configuration from `parseTunnelUrl`
 * @param options signal, logger, reports
 * @throws {NodePassError} `usage` for a bad URL; otherwise what kept it from starting
 */
export async function startClient(source: string | ClientConfig, options: StartOptions = {}): Promise<TunnelHandle> {
  return await startTunnel(await configure(source, "client", options), options);
}

/**
 * Starts a single-end forwarder: visitors of the tunnel address reach the target, without a server.
 *
 * @example
 * ```ts
 * import { startForward } from "nodepass/client";
 *
 * await using forward = await startForward("client://127.0.0.1:0/127.0.0.1:80");
 * console.log(forward.addr?.port);
 * ```
 *
 * @param source a `client://` URL (its `mode` does not count), or a configuration
 * @param options signal, logger, reports
 * @throws {NodePassError} `usage` for a bad URL; otherwise what kept it from listening
 */
export async function startForward(source: string | ClientConfig, options: StartOptions = {}): Promise<TunnelHandle> {
  const config = await configure(source, "client", options);
  return await startTunnel({ ...config, mode: "single" }, options);
}
