/**
 * Connections of an HTTP server: how many of those may stay that have not shown a key.
 *
 * @module
 */
import { normalizeIp, sourceKey } from "../address/ip.ts";
import type { Clock, Timer } from "../runtime/types.ts";

/** What a server allows. */
export interface GuestLimits {
  /** Connections without a complete request. */
  readonly opening: number;
  /** Those of one address, once they had time to send one. */
  readonly openingPerSource: number;
  /** How long an address may have more of them: a burst is no siege. */
  readonly burstMs: number;
  /** How long one may take for its first request, handshake included. */
  readonly openingMs: number;
  /** Connections that made a request, but none with a key. */
  readonly unproven: number;
}

/** Limits of every server. */
export const GUEST_LIMITS: GuestLimits = {
  opening: 256,
  openingPerSource: 16,
  burstMs: 500,
  openingMs: 5_400,
  unproven: 1_024,
};

/** How often those are looked for that stayed too long. */
const SWEEP_MS = 250;

/** What is needed of a socket. */
export interface GuestSocket {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  destroy(): unknown;
  once(event: "close", run: () => void): unknown;
}

interface Guest {
  readonly socket: GuestSocket;
  readonly source: string;
  readonly since: number;
}

/**
 * Knows the connections of one server and pushes out the oldest where there are too many: whoever behaves has sent his
 * request within a round trip or two, so a crowd of silent sockets never locks out anybody else.
 */
export class Guests {
  readonly #clock: Clock;
  readonly #limits: GuestLimits;
  readonly #all = new Map<string, Guest>();
  /** Without a complete request, by source, oldest first. */
  readonly #opening = new Map<string, Set<Guest>>();
  /** Without a key, the one that was silent for longest first. */
  readonly #unproven = new Set<Guest>();
  #openingCount = 0;
  #sweep: Timer | null = null;

  constructor(clock: Clock, limits: Partial<GuestLimits> = {}) {
    this.#clock = clock;
    this.#limits = { ...GUEST_LIMITS, ...limits };
  }

  /** All connections. */
  get size(): number {
    return this.#all.size;
  }

  /** Those without a complete request. */
  get opening(): number {
    return this.#openingCount;
  }

  /** A connection was accepted; with TLS this is the socket below it. */
  enter(socket: GuestSocket): void {
    while (this.#openingCount >= this.#limits.opening) this.#pushOutOfHeaviest();
    const source = sourceKey(normalizeIp(socket.remoteAddress ?? ""));
    const guest: Guest = { socket, source, since: this.#clock.now() };
    const name = nameOf(socket);
    const group = this.#opening.get(source) ?? new Set();
    this.#all.set(name, guest);
    this.#opening.set(source, group.add(guest));
    this.#openingCount++;
    this.#sweep ??= this.#clock.every(SWEEP_MS, () => this.#pushOutSlow());
    socket.once("close", () => {
      if (this.#all.get(name) === guest) this.#all.delete(name);
      this.#leaveOpening(guest);
      this.#unproven.delete(guest);
    });
  }

  /** A complete request came, without a key so far. @param socket also the one above TLS */
  request(socket: GuestSocket): void {
    const guest = this.#all.get(nameOf(socket));
    if (guest === undefined) return;
    if (this.#leaveOpening(guest) || this.#unproven.delete(guest)) this.#unproven.add(guest);
    const [oldest] = this.#unproven;
    if (this.#unproven.size > this.#limits.unproven) this.#pushOut(oldest);
  }

  /** Its request had the key. */
  admit(socket: GuestSocket): void {
    const guest = this.#all.get(nameOf(socket));
    if (guest !== undefined) this.#unproven.delete(guest);
  }

  /** Ends all connections. */
  destroyAll(): void {
    for (const { socket } of this.#all.values()) socket.destroy();
  }

  /** Stops its timer. */
  close(): void {
    this.#sweep?.cancel();
    this.#sweep = null;
  }

  #leaveOpening(guest: Guest): boolean {
    const group = this.#opening.get(guest.source);
    if (group === undefined || !group.delete(guest)) return false;
    if (group.size === 0) this.#opening.delete(guest.source);
    if (--this.#openingCount === 0) this.close();
    return true;
  }

  #pushOut(guest: Guest | undefined): void {
    if (guest === undefined) return;
    this.#leaveOpening(guest);
    this.#unproven.delete(guest);
    guest.socket.destroy();
  }

  #pushOutOfHeaviest(): void {
    let heaviest: Set<Guest> = new Set();
    for (const group of this.#opening.values()) if (group.size > heaviest.size) heaviest = group;
    const [oldest] = heaviest;
    this.#pushOut(oldest);
  }

  #pushOutSlow(): void {
    const now = this.#clock.now();
    const { openingMs, burstMs, openingPerSource } = this.#limits;
    for (const group of [...this.#opening.values()]) {
      let settled = 0;
      for (const guest of group) if (now - guest.since >= burstMs) settled++;
      for (const guest of [...group]) {
        const late = now - guest.since >= openingMs;
        if (!late && settled <= openingPerSource) break;
        this.#pushOut(guest);
        settled--;
      }
    }
  }
}

/** The socket above TLS and the one below it have the same ends. */
function nameOf({ remoteAddress, remotePort }: GuestSocket): string {
  return `${remoteAddress} ${remotePort}`;
}
