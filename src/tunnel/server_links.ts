/**
 * The links of one client, as its server uses them.
 *
 * @module
 */
import type { ServerConfig } from "../config/types.ts";
import type { TunnelContext } from "./context.ts";
import type { Egress } from "./egress.ts";
import { PeerLinks, type PeerLinksEvents } from "./pool/peer_links.ts";

/** Who serves what arrives on the links. */
export interface ServerLinksParts extends Pick<PeerLinksEvents, "cancel" | "changed" | "orphaned"> {
  readonly egress: Egress;
}

/** None yet. */
export function serverLinks(
  { config, crew, ledger, logger, runtime }: TunnelContext<ServerConfig>,
  flow: "reverse" | "forward",
  { egress, orphaned, cancel, changed }: ServerLinksParts,
): PeerLinks {
  return new PeerLinks({
    end: flow === "reverse" ? "ingress" : "egress",
    maxBufferBytes: config.settings.tcpBufferBytes,
    minReady: 1,
    maxReady: Math.ceil(config.maxLinks / (crew?.size ?? 1)),
    acknowledge: false,
    surplusMs: config.settings.maxPoolIntervalMs,
    now: () => runtime.clock.now(),
    after: (ms, run) => runtime.clock.after(ms, run),
    soon: (run) => runtime.clock.soon(run),
    events: {
      opened: (session) => egress.open(session),
      openedDatagrams: (session) => egress.openDatagrams(session),
      orphaned,
      cancel,
      changed,
      dropped: () => ledger.reject("overflow"),
      lost: (error) => {
        if (error.code !== "closed") logger.debug("Link ended", { reason: error.message });
      },
    },
  });
}
