/**
 * The door for visitors: the one place where single-end forwarders, reverse servers and forward clients accept them.
 *
 * @module
 */
import type { HostPort } from "../config/types.ts";
import { NodePassError } from "../errors.ts";
import type { Datagram, Listener, SocketAddress } from "../runtime/types.ts";
import type { TunnelContext } from "./context.ts";
import { TcpEntry, type TcpHandler } from "./entry_tcp.ts";
import { UdpEntry, type UdpHandler } from "./entry_udp.ts";

export type { TcpHandler } from "./entry_tcp.ts";
export type { UdpHandler, UdpPath } from "./entry_udp.ts";

/** How often a port that the system chose for TCP is tried for UDP. */
const PORT_CHOICES = 16;

/** Who serves the visitors. */
export interface EntryHandlers {
  readonly tcp: TcpHandler;
  readonly udp: UdpHandler;
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

/** The sockets of one address. */
interface Port {
  readonly listener: Listener | null;
  readonly datagram: Datagram | null;
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
    for (const address of addresses) ports.push(await openPort(context, address));
  } catch (error) {
    for (const port of ports) closePort(port);
    throw error;
  }
  const entries = ports.flatMap(({ listener, datagram }) => [
    ...(listener === null ? [] : [new TcpEntry(context, listener, handlers.tcp)]),
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

async function openPort(context: TunnelContext, address: HostPort): Promise<Port> {
  const { config, runtime } = context;
  for (let choice = 1;; choice++) {
    const listener = config.tcp ? await runtime.net.listen(address) : null;
    if (!config.udp) return { listener, datagram: null };
    try {
      const port = listener === null ? address.port : listener.local.port;
      return { listener, datagram: await runtime.udp.bind({ host: address.host, port }) };
    } catch (error) {
      listener?.close();
      // The system chose the port without looking at UDP, where another program may have it.
      const taken = error instanceof NodePassError && error.code === "address_in_use";
      if (address.port !== 0 || !taken || choice === PORT_CHOICES) throw error;
    }
  }
}

function closePort(port: Port): void {
  port.listener?.close();
  port.datagram?.close();
}
