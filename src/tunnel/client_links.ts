/**
 * The links of one client to its server, and what keeps them coming.
 *
 * @module
 */
import type { ClientConfig } from "../config/types.ts";
import { messageOf } from "../errors.ts";
import type { Conn } from "../runtime/types.ts";
import type { ServerConfigMessage } from "../wire/secure/config_message.ts";
import type { ControlChannel } from "../wire/secure/control_channel.ts";
import type { TunnelContext } from "./context.ts";
import type { Egress } from "./egress.ts";
import { PeerLinks, type PeerLinksEvents } from "./pool/peer_links.ts";
import { Supply } from "./pool/supply.ts";

/** Links for datagrams, when both ends want UDP. */
const DATAGRAM_LINKS = 2;
/** A server whose workers share the tunnel port asks for more, until each has one. */
const MOST_DATAGRAM_LINKS = 1_024;

/** The links to the server that one client id stands for, and what keeps them coming. */
export interface Supplied {
  readonly links: PeerLinks;
  readonly sessions: Supply;
  readonly datagrams: Supply | null;
  /** The channel that speaks for these links: another one's server does not know them. */
  control: ControlChannel | null;
  /** When that channel died (clock ms); null while it lives. */
  controlLostAt: number | null;
}

/** Who serves what arrives on the links, and how they are opened. */
export interface SuppliedParts extends Pick<PeerLinksEvents, "cancel" | "changed" | "orphaned"> {
  readonly egress: Egress;
  readonly open: (kind: "session" | "datagram") => Promise<{ readonly conn: Conn; readonly counter: number }>;
}

/** None yet. */
export function supplyLinks(
  { config, runtime, ledger, logger, crew }: TunnelContext<ClientConfig>,
  settings: ServerConfigMessage,
  { egress, orphaned, cancel, changed, open }: SuppliedParts,
): Supplied {
  // The server bounds each client; workers are one to whoever configured them.
  const maxLinks = Math.ceil(settings.maxLinks / (crew?.size ?? 1));
  const least = Math.min(config.minLinks, maxLinks);
  const links = new PeerLinks({
    end: settings.flow === "forward" ? "ingress" : "egress",
    maxBufferBytes: config.settings.tcpBufferBytes,
    minReady: least,
    maxReady: maxLinks,
    acknowledge: settings.delaysSmallWrites,
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
  const supply = (kind: "session" | "datagram", minReady: number, maxReady: number, ready: () => number): Supply =>
    new Supply({
      clock: runtime.clock,
      random: runtime.random,
      minReady,
      maxReady,
      intervalMs: config.settings.minPoolIntervalMs,
      ready,
      open: async () => {
        const { conn, counter } = await open(kind);
        if (kind === "session") links.add(conn, counter);
        else links.addDatagrams(conn, counter);
      },
      onFailure: (error) => logger.warn("Cannot open a link", { reason: messageOf(error) }),
    });
  return {
    links,
    sessions: supply("session", least, maxLinks, () => links.ready),
    datagrams: config.udp && settings.udp
      ? supply("datagram", DATAGRAM_LINKS, MOST_DATAGRAM_LINKS, () => links.datagramLinks)
      : null,
    control: null,
    controlLostAt: null,
  };
}
