/**
 * Which ports the workers of an instance may share: each is bound alone first, so that another program, or another
 * instance with workers, is never a silent partner.
 *
 * @module
 */
import { formatAddress } from "../../address/ip.ts";
import type { HostPort, TunnelConfig } from "../../config/types.ts";
import type { Runtime, SocketAddress } from "../../runtime/types.ts";
import { closePort, openPort, type Port } from "../entry_port.ts";
import type { Claim } from "./crew.ts";

/** Addresses that were found free, by what was asked for. */
export class Claims {
  readonly #runtime: Runtime;
  readonly #granted = new Map<string, Promise<readonly HostPort[]>>();
  readonly #bound = new Map<string, readonly SocketAddress[]>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Binds and lets go; the same question gets the same answer.
   *
   * @throws {NodePassError} an address cannot be bound
   */
  claim(claim: Claim): Promise<readonly HostPort[]> {
    const key = keyOf(claim);
    const known = this.#granted.get(key);
    if (known !== undefined) return known;
    const granted = this.#grant(claim);
    this.#granted.set(key, granted);
    // Who asks again later may be luckier.
    granted.catch(() => this.#granted.delete(key));
    return granted;
  }

  /** Where the sockets of a granted claim listen; empty before it was granted. */
  bound(claim: Claim): readonly SocketAddress[] {
    return this.#bound.get(keyOf(claim)) ?? [];
  }

  async #grant(claim: Claim): Promise<readonly HostPort[]> {
    const ports: Port[] = [];
    try {
      const bound: SocketAddress[] = [];
      for (const address of claim.addresses) {
        let local: SocketAddress;
        // The system may choose a port that was let go a moment ago, for another claim of this instance.
        do {
          const port = await openPort(this.#runtime, claim, address);
          ports.push(port);
          local = (port.listener ?? port.datagram)?.local ?? address;
        } while (address.port === 0 && this.#isGranted(local.port));
        bound.push(local);
      }
      this.#bound.set(keyOf(claim), bound);
      return claim.addresses.map(({ host }, at) => ({ host, port: bound[at]!.port }));
    } finally {
      for (const port of ports) closePort(port);
    }
  }

  #isGranted(port: number): boolean {
    return port !== 0 && [...this.#bound.values()].flat().some((local) => local.port === port);
  }
}

function keyOf({ arrivals, addresses, tcp, udp }: Claim): string {
  return `${arrivals} ${tcp} ${udp} ${addresses.map(formatAddress).join()}`;
}

/** What a configuration's visitors arrive at. */
export function entryClaim(config: Pick<TunnelConfig, "tcp" | "udp">, addresses: readonly HostPort[]): Claim {
  return { arrivals: "visitors", addresses, tcp: config.tcp, udp: config.udp };
}

/** What the links of a server arrive at. */
export function tunnelClaim(config: Pick<TunnelConfig, "tunnel">): Claim {
  return { arrivals: "links", addresses: [config.tunnel], tcp: true, udp: false };
}
