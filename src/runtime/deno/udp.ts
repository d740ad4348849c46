/**
 * UDP on Deno's native sockets, or on `node:dgram` where they are switched off.
 *
 * @module
 */
import { formatAddress } from "../../address/ip.ts";
import { toNodePassError } from "../error_map.ts";
import { LastAddress } from "../last_address.ts";
import type { BindOptions, Datagram, SocketAddress, TakeDatagram, Udp } from "../types.ts";
import { openOn } from "../wildcard.ts";
import { lateBind } from "./node_parts.ts";
import { denoAddress } from "./net.ts";

/** UDP on Deno. */
export const denoUdp: Udp = {
  // Deno sets SO_REUSEADDR at most, which gives every datagram to the socket that was bound last.
  sharesPorts: false,
  async bind(options: BindOptions): Promise<Datagram> {
    // Without `--unstable-net` the function does not exist.
    if (typeof Deno.listenDatagram !== "function") return await lateBind(options);
    try {
      return new DenoDatagram(
        await openOn(
          options.host,
          (hostname) => Deno.listenDatagram({ transport: "udp", hostname, port: options.port }),
        ),
      );
    } catch (error) {
      throw toNodePassError(error, `Cannot bind UDP ${formatAddress(options)}`);
    }
  },
};

class DenoDatagram implements Datagram {
  readonly local: SocketAddress;
  readonly #socket: Deno.DatagramConn;
  readonly #sender = new LastAddress();
  #to: SocketAddress | null = null;
  #denoTo: Deno.NetAddr = { transport: "udp", hostname: "", port: 0 };
  #closed = false;

  constructor(socket: Deno.DatagramConn) {
    this.#socket = socket;
    this.local = denoAddress(socket.addr);
  }

  async receive(into: Uint8Array): Promise<[Uint8Array, SocketAddress]> {
    const [bytes, from] = await this.#socket.receive(into);
    return [bytes, denoAddress(from)];
  }

  async receiveAll(room: Uint8Array, take: TakeDatagram): Promise<never> {
    for (;;) {
      const [bytes, from] = await this.#socket.receive(room);
      const { hostname, port } = from as Deno.NetAddr;
      const taken = take(bytes, this.#sender.of(hostname, port));
      if (taken !== undefined) await taken;
    }
  }

  send(bytes: Uint8Array, to: SocketAddress): Promise<unknown> {
    if (to !== this.#to) {
      this.#to = to;
      this.#denoTo = { transport: "udp", hostname: to.host, port: to.port };
    }
    return this.#socket.send(bytes, this.#denoTo);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}
