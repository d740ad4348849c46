/**
 * The door for visitors: the one place where single-end forwarders, reverse servers and forward clients accept them.
 *
 * @module
 */
import type { HostPort } from "../config/types.ts";
import type { SocketAddress } from "../runtime/types.ts";
import type { TunnelContext } from "./context.ts";
import { closePort, openPort, type Port, type PortKinds } from "./entry_port.ts";
import { TcpEntry, type TcpHandler } from "./entry_tcp.ts";
import { UdpEntry, type UdpHandler } from "./entry_udp.ts";
import { entryClaim } from "./workers/claims.ts";

export type { TcpHandler } from "./entry_tcp.ts";
export type { UdpHandler, UdpPath } from "./entry_udp.ts";

/** Who serves the visitors. */
export interface EntryHandlers {
  readonly tcp: TcpHandler;
  readonly udp: UdpHandler;
  /** No visitor can be accepted, because descriptors or buffers have run out. */
  readonly starved?: () => void;
}

/** Open ports. */
export interface Entry {
  /** Where visitors come in: one per address that was asked for, with the port that was bound. */
  readonly addresses: readonly SocketAddress[];
  /** Resolves once it was closed and every port is free: for UDP with the last session. */
  readonly finished: Promise<void>;
  /** Accepts nobody from now on; sessions go on until they end or are cut. Idempotent. */
  close(): void;
}

/**
 * Listens for TCP and UDP on the same port of each address (`notcp` and `noudp` switch one off).
 *
 * Addresses outside `allow`, inside `deny` and visitors above `slot` are closed at once and counted.
 *
 * @throws NodePassError when an address cannot be bound; nothing stays open then
 */
export async function openEntry(
  context: TunnelContext,
  addresses: readonly HostPort[],
  handlers: EntryHandlers,
): Promise<Entry> {
  const ports: Port[] = [];
  try {
    const kinds = await portKinds(context, addresses);
    for (const address of kinds.addresses) ports.push(await openPort(context.runtime, kinds, address));
  } catch (error) {
    for (const port of ports) closePort(port);
    throw error;
  }
  const entries = ports.flatMap(({ listener, datagram }) => [
    ...(listener === null ? [] : [new TcpEntry(context, listener, handlers.tcp, handlers.starved)]),
    ...(datagram === null ? [] : [new UdpEntry(context, datagram, handlers.udp)]),
  ]);
  return {
    addresses: ports.map(({ listener, datagram }, index) => {
      const local = (listener ?? datagram)?.local;
      return local ?? { host: addresses[index]?.host ?? "", port: addresses[index]?.port ?? 0 };
    }),
    finished: Promise.all(entries.map((entry) => entry.finished)).then(() => {}),
    close: () => {
      for (const entry of entries.splice(0)) entry.close();
    },
  };
}

/** Workers share the ports that the main thread found free; a UDP port that cannot be shared is the first one's. */
async function portKinds(
  { config, crew, runtime }: TunnelContext,
  addresses: readonly HostPort[],
): Promise<PortKinds & { readonly addresses: readonly HostPort[] }> {
  const { tcp, udp } = config;
  if (crew === null) return { addresses, tcp, udp };
  const claimed = await crew.claim(entryClaim(config, addresses));
  return { addresses: claimed, tcp, udp: udp && (crew.index === 0 || runtime.udp.sharesPorts), shared: true };
}
