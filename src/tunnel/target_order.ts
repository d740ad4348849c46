/**
 * Which target a visitor gets, and which ones follow when it cannot be reached.
 *
 * @module
 */
import { formatAddress, normalizeIp } from "../address/ip.ts";
import type { HostPort, TunnelConfig } from "../config/types.ts";
import type { Clock } from "../runtime/types.ts";

/** How long a target that failed is tried last, so that the next visitors do not pay for it again. */
const AVOID_MS = 10_000;
/** An empty host means this machine. */
const LOOPBACK = ["127.0.0.1", "::1"] as const;

/** One configured target and what is known about it. */
export interface Target {
  /** "" stands for loopback. */
  readonly host: string;
  readonly port: number;
  /** `host:port` for people. */
  readonly name: string;
  /** Literal addresses that need no lookup; null = the host is a name or an IP to resolve. */
  readonly loopback: readonly string[] | null;
  /** Live sessions. */
  sessions: number;
  /** Tried last until then; null = not known to be down. */
  avoidUntil: number | null;
}

function toTarget({ host, port }: HostPort): Target {
  const loopback = host === "" ? LOOPBACK : null;
  return {
    host,
    port,
    name: formatAddress({ host: loopback?.[0] ?? host, port }),
    loopback,
    sessions: 0,
    avoidUntil: null,
  };
}

/** FNV-1a over the address alone: all ports of a visitor reach the same target. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // The low bits of FNV-1a alone follow the last digit.
  hash ^= hash >>> 16;
  return hash >>> 0;
}

/** Orders the targets of an instance for each visitor. */
export class TargetOrder {
  readonly #targets: readonly Target[];
  readonly #balance: TunnelConfig["balance"];
  readonly #clock: Clock;
  #turn = 0;

  /** @param targets at least one */
  constructor(targets: readonly HostPort[], balance: TunnelConfig["balance"], clock: Clock) {
    this.#targets = targets.map(toTarget);
    this.#balance = balance;
    this.#clock = clock;
  }

  /** All targets, best first. The first one is about to be tried. */
  candidates(visitorHost: string): readonly Target[] {
    const count = this.#targets.length;
    if (count < 2) return this.#targets;
    const first = this.#balance === "source_hash" ? hashOf(normalizeIp(visitorHost)) % count : this.#turn++ % count;
    const order = [...this.#targets.slice(first), ...this.#targets.slice(0, first)];
    if (this.#balance === "least_connections") order.sort((a, b) => a.sessions - b.sessions);
    const now = this.#clock.now();
    const avoided = (target: Target): number => target.avoidUntil !== null && now < target.avoidUntil ? 1 : 0;
    order.sort((a, b) => avoided(a) - avoided(b));
    const chosen = order[0];
    // One visitor tries a target again after its time; the others go on avoiding it meanwhile.
    if (chosen !== undefined && chosen.avoidUntil !== null) chosen.avoidUntil = now + AVOID_MS;
    return order;
  }

  failed(target: Target): void {
    target.avoidUntil = this.#clock.now() + AVOID_MS;
  }

  worked(target: Target): void {
    target.avoidUntil = null;
  }
}
