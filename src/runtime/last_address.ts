/**
 * Addresses of datagrams, which mostly come from the sender of the one before.
 *
 * @module
 */
import type { SocketAddress } from "./types.ts";
import { socketAddress } from "./wildcard.ts";

/** Gives the same object as long as the address stays the same. */
export class LastAddress {
  #host = "";
  #address: SocketAddress = { host: "", port: 0 };

  /** The address of `host` and `port`, as the system spells them. */
  of(host: string, port: number): SocketAddress {
    if (port !== this.#address.port || host !== this.#host) {
      this.#host = host;
      this.#address = socketAddress(host, port);
    }
    return this.#address;
  }
}
