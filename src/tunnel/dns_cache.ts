/**
 * Answers of the system's resolver, kept for the `dns` parameter's time.
 *
 * @module
 */
import { isIp } from "../address/ip.ts";
import type { Clock, Dns } from "../runtime/types.ts";

/** Names kept at most; targets are configured, so this is never reached in practice. */
const MOST_NAMES = 1024;

/** One name: a running or finished lookup. */
interface Entry {
  readonly addresses: Promise<readonly string[]>;
  expiresAt: number;
}

/** A cache that shares running lookups and forgets failed ones. */
export class DnsCache {
  readonly #dns: Dns;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #entries = new Map<string, Entry>();

  /** @param ttlMs how long an answer is good; 0 shares running lookups only */
  constructor(dns: Dns, clock: Clock, ttlMs: number) {
    this.#dns = dns;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  /**
   * The IPs of a name, at least one; an IP is its own answer.
   *
   * @throws {NodePassError} `name_not_found`
   */
  resolve(name: string): Promise<readonly string[]> {
    if (isIp(name)) return Promise.resolve([name]);
    const known = this.#entries.get(name);
    if (known !== undefined && this.#clock.now() < known.expiresAt) return known.addresses;
    const entry: Entry = { addresses: this.#dns.resolve(name), expiresAt: Infinity };
    if (this.#entries.size >= MOST_NAMES) this.#entries.clear();
    this.#entries.set(name, entry);
    entry.addresses.then(
      () => entry.expiresAt = this.#clock.now() + this.#ttlMs,
      () => this.#entries.get(name) === entry && this.#entries.delete(name),
    );
    return entry.addresses;
  }

  /** Forgets a name: dialling its addresses failed. A running lookup stays shared. */
  drop(name: string): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined && entry.expiresAt !== Infinity) this.#entries.delete(name);
  }
}
