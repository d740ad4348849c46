/**
 * Starts the kind of instance that a configuration says, in this thread.
 *
 * @module
 */
import type { ClientConfig } from "../config/types.ts";
import { messageOf } from "../errors.ts";
import type { TunnelContext } from "../tunnel/context.ts";
import { isElsewhere } from "../tunnel/elsewhere.ts";
import type { InstanceOptions } from "../tunnel/instance.ts";
import type { TunnelHandle } from "../tunnel/types.ts";

/** A server, a client or a forwarder; each is loaded when it is started. */
export async function startRole(context: TunnelContext, options: InstanceOptions = {}): Promise<TunnelHandle> {
  const { config } = context;
  if (config.role === "client") return await startClientMode({ ...context, config }, options);
  if (config.wire === "1.14") {
    const { startTunnelServer114 } = await import("../tunnel/nodepass_1_14/server.ts");
    return await startTunnelServer114({ ...context, config }, options);
  }
  return await (await import("../tunnel/server.ts")).startTunnelServer({ ...context, config }, options);
}

/** `auto`: the tunnel address can be bound here -> it is the entry of a forwarder; else a server listens there. */
async function startClientMode(context: TunnelContext<ClientConfig>, options: InstanceOptions): Promise<TunnelHandle> {
  const { config, logger } = context;
  if (config.mode === "dual") return await startDualEnd(context, options);
  const { startForwarder } = await import("../tunnel/forward.ts");
  if (config.mode === "single") return await startForwarder(context, options);
  try {
    const handle = await startForwarder(context, options);
    logger.info("Mode 1 (single-end): the tunnel address can be bound here");
    return handle;
  } catch (error) {
    if (!isElsewhere(error)) throw error;
    logger.info(`Mode 2 (dual-end): the tunnel address cannot be bound here (${messageOf(error)})`);
    return await startDualEnd(context, options);
  }
}

async function startDualEnd(context: TunnelContext<ClientConfig>, options: InstanceOptions): Promise<TunnelHandle> {
  if (context.config.wire === "1.14") {
    const { startTunnelClient114 } = await import("../tunnel/nodepass_1_14/client.ts");
    return await startTunnelClient114(context, options);
  }
  return await (await import("../tunnel/client.ts")).startTunnelClient(context, options);
}
