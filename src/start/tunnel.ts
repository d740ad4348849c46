/**
 * Starts any tunnel instance: chooses the run mode, owns its shared state.
 *
 * @module
 */
import type { ClientConfig, TunnelConfig } from "../config/types.ts";
import { messageOf, NodePassError } from "../errors.ts";
import { silentLogger } from "../log/silent.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { startTunnelClient } from "../tunnel/client.ts";
import type { TunnelContext } from "../tunnel/context.ts";
import { createContext } from "../tunnel/create_context.ts";
import { isElsewhere } from "../tunnel/elsewhere.ts";
import { startForwarder } from "../tunnel/forward.ts";
import { startTunnelServer } from "../tunnel/server.ts";
import type { TunnelHandle } from "../tunnel/types.ts";
import type { StartOptions } from "./options.ts";

/**
 * Starts an instance. Resolves when it listens, or when a client has made its first attempt to reach the server.
 *
 * @throws {NodePassError} when an address cannot be bound, a file cannot be read, or the configuration asks for
 * something that this version cannot do
 */
export async function startTunnel(config: TunnelConfig, options: StartOptions = {}): Promise<TunnelHandle> {
  const { signal, onReport, logger = silentLogger } = options;
  if (config.wire !== "secure") {
    throw new NodePassError("not_supported", `Cannot speak wire=${config.wire}: this version speaks wire=secure`);
  }
  signal?.throwIfAborted();
  const owned = createContext(config, options.runtime ?? await detectRuntime(), logger);
  try {
    const handle = await startRole(owned.context, onReport === undefined ? {} : { onReport });
    const stop = (): void => void handle.close({ graceMs: 0 });
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
    handle.finished.catch(() => {}).finally(() => {
      signal?.removeEventListener("abort", stop);
      owned.close();
    });
    return handle;
  } catch (error) {
    owned.close();
    logger.error(`${config.role === "server" ? "Server" : "Client"} error: ${messageOf(error)}`);
    throw error;
  }
}

type RoleOptions = Pick<StartOptions, "onReport">;

function startRole(context: TunnelContext, options: RoleOptions): Promise<TunnelHandle> {
  const { config } = context;
  return config.role === "server"
    ? startTunnelServer({ ...context, config }, options)
    : startClientMode({ ...context, config }, options);
}

/** `auto`: the tunnel address can be bound here -> it is the entry of a forwarder; else a server listens there. */
async function startClientMode(context: TunnelContext<ClientConfig>, options: RoleOptions): Promise<TunnelHandle> {
  const { config, logger } = context;
  if (config.mode === "dual") return await startTunnelClient(context, options);
  if (config.mode === "single") return await startForwarder(context, options);
  try {
    const handle = await startForwarder(context, options);
    logger.info("Mode 1 (single-end): the tunnel address can be bound here");
    return handle;
  } catch (error) {
    if (!isElsewhere(error)) throw error;
    logger.info(`Mode 2 (dual-end): the tunnel address cannot be bound here (${messageOf(error)})`);
    return await startTunnelClient(context, options);
  }
}
