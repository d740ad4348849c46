/**
 * Which visitors are let in, by address.
 *
 * @module
 */
import { type Cidr, cidrContains } from "../address/cidr.ts";
import { parseIp } from "../address/ip.ts";

/** The `allow` and `deny` lists of an instance; deny wins, an empty allow list lets everyone in. */
export class Access {
  readonly #allow: readonly Cidr[];
  readonly #deny: readonly Cidr[];

  constructor(allow: readonly Cidr[], deny: readonly Cidr[]) {
    this.#allow = allow;
    this.#deny = deny;
  }

  /** Whether a visitor with this IP may enter; an IPv4-mapped IPv6 address counts as its IPv4 address. */
  permits(host: string): boolean {
    if (this.#allow.length === 0 && this.#deny.length === 0) return true;
    const ip = parseIp(host);
    // Lists were configured, so an address that cannot be judged stays outside.
    if (ip === null) return false;
    if (this.#deny.some((range) => cidrContains(range, ip))) return false;
    return this.#allow.length === 0 || this.#allow.some((range) => cidrContains(range, ip));
  }
}
