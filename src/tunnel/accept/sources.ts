/**
 * Where connections come from and how far each source is trusted.
 *
 * @module
 */
import { anyContains, type Cidr } from "../../address/cidr.ts";
import { normalizeIp, sourceKey } from "../../address/ip.ts";

/** How far a source is trusted. */
export type Standing =
  /** Nothing is known. */
  | "stranger"
  /** A control channel from there lives, or did until a moment ago. */
  | "vouched"
  /** A proxy in front, by configuration. */
  | "trusted";

/** One source: an IPv4 address or an IPv6 /64. */
export interface Source {
  readonly key: string;
  readonly standing: Standing;
}

/**
 * How long a source keeps its standing after its last control channel ended: a neighbour behind the same address must
 * not be able to keep a client from coming back.
 */
export const VOUCH_GRACE_MS = 60_000;

/** Knows the standing of every address. */
export class Sources {
  readonly #trusted: readonly Cidr[];
  readonly #now: () => number;
  readonly #live = new Map<string, number>();
  /** Ends of the grace times, the earliest first: every grace is equally long. */
  readonly #grace = new Map<string, number>();

  /**
   * @param trusted proxies in front
   * @param now milliseconds of a clock that never jumps
   */
  constructor(trusted: readonly Cidr[], now: () => number) {
    this.#trusted = trusted;
    this.#now = now;
  }

  of(address: string): Source {
    const ip = normalizeIp(address);
    const key = sourceKey(ip);
    if (anyContains(this.#trusted, ip)) return { key, standing: "trusted" };
    return { key, standing: this.#isVouched(key) ? "vouched" : "stranger" };
  }

  /** Whether a control channel from there lives, or did until a moment ago. */
  #isVouched(key: string): boolean {
    this.#expire();
    return this.#live.has(key) || this.#grace.has(key);
  }

  /** A control channel lives until the returned function is called (once counts). */
  vouch(address: string): () => void {
    const key = sourceKey(normalizeIp(address));
    this.#live.set(key, (this.#live.get(key) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#release(key);
    };
  }

  #release(key: string): void {
    const left = (this.#live.get(key) ?? 1) - 1;
    if (left > 0) {
      this.#live.set(key, left);
      return;
    }
    this.#live.delete(key);
    this.#grace.delete(key);
    this.#grace.set(key, this.#now() + VOUCH_GRACE_MS);
  }

  #expire(): void {
    for (const [key, until] of this.#grace) {
      if (until > this.#now()) return;
      this.#grace.delete(key);
    }
  }
}
