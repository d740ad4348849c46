/**
 * Which way a server works: visitors arrive at its target address, or its targets are dialled.
 *
 * @module
 */
import { formatAddress } from "../address/ip.ts";
import type { ServerConfig } from "../config/types.ts";
import { messageOf } from "../errors.ts";
import type { SocketAddress } from "../runtime/types.ts";
import type { TunnelContext } from "./context.ts";
import { isElsewhere } from "./elsewhere.ts";
import { type Entry, type EntryHandlers, openEntry } from "./entry.ts";

/** The way, and where visitors arrive: null in forward flow. */
export interface ServerFlow {
  readonly flow: "reverse" | "forward";
  readonly entry: Entry | null;
}

/**
 * `auto`: the target address can be bound here -> visitors arrive at it; else the targets are elsewhere.
 *
 * @throws {NodePassError} the target address cannot be bound in reverse flow
 */
export async function chooseServerFlow(
  context: TunnelContext<ServerConfig>,
  handlers: EntryHandlers,
): Promise<ServerFlow> {
  const { config, logger } = context;
  if (config.mode === "forward") return { flow: "forward", entry: null };
  try {
    const entry = await openEntry(context, config.targets, handlers);
    if (config.mode === "auto") logger.info("Mode 1 (reverse): the target address can be bound here");
    return { flow: "reverse", entry };
  } catch (error) {
    if (config.mode === "reverse" || !isElsewhere(error)) throw error;
    logger.info(`Mode 2 (forward): the target address cannot be bound here (${messageOf(error)})`);
    return { flow: "forward", entry: null };
  }
}

/** Says where a server is to be reached, and what for. */
export function logStarted(
  { config, logger }: TunnelContext<ServerConfig>,
  { flow, entry }: ServerFlow,
  local: SocketAddress,
): void {
  const addresses = (entry?.addresses ?? config.targets).map(formatAddress).join(", ");
  const what = flow === "reverse" ? "visitors arrive at" : "targets are";
  logger.info(`Server started: ${what} ${addresses}`, { tunnel: formatAddress(local) });
}
