/**
 * TCP and UDP on one port.
 *
 * @module
 */
import type { HostPort } from "../config/types.ts";
import { NodePassError } from "../errors.ts";
import type { Datagram, Listener, Runtime } from "../runtime/types.ts";

/** How often a port that the system chose for TCP is tried for UDP. */
const PORT_CHOICES = 16;

/** Which sockets to open. */
export interface PortKinds {
  readonly tcp: boolean;
  readonly udp: boolean;
  /** Other workers open the same. @default false */
  readonly shared?: boolean;
}

/** The sockets of one address. */
export interface Port {
  readonly listener: Listener | null;
  readonly datagram: Datagram | null;
}

/**
 * Opens the sockets of an address on the same port.
 *
 * @throws NodePassError when it cannot be bound; nothing stays open then
 */
export async function openPort(
  runtime: Pick<Runtime, "net" | "udp">,
  { tcp, udp, shared = false }: PortKinds,
  address: HostPort,
): Promise<Port> {
  for (let choice = 1;; choice++) {
    const listener = tcp ? await runtime.net.listen({ ...address, shared }) : null;
    if (!udp) return { listener, datagram: null };
    try {
      const port = listener === null ? address.port : listener.local.port;
      // A port that only one worker can have for UDP is not shared.
      const options = { host: address.host, port, shared: shared && runtime.udp.sharesPorts };
      return { listener, datagram: await runtime.udp.bind(options) };
    } catch (error) {
      listener?.close();
      // The system chose the port without looking at UDP, where another program may have it.
      const taken = error instanceof NodePassError && error.code === "address_in_use";
      if (address.port !== 0 || !taken || choice === PORT_CHOICES) throw error;
    }
  }
}

/** Closes both. */
export function closePort(port: Port): void {
  port.listener?.close();
  port.datagram?.close();
}
