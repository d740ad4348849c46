/**
 * All links of one other end: which are ready, which are busy, when they die.
 *
 * @module
 */
import type { NodePassError } from "../../errors.ts";
import type { Conn, Timer } from "../../runtime/types.ts";
import type { DatagramReceiver, Opening, WireDatagrams } from "../../wire/types.ts";
import { LateLooks } from "../../wire/secure/acknowledger.ts";
import { DatagramLink } from "../../wire/secure/datagram_link.ts";
import { FrameLink } from "../../wire/secure/frame_link.ts";
import type { FrameLinkEvents } from "../../wire/secure/frame_link_types.ts";
import type { FrameSession } from "../../wire/secure/frame_session.ts";

/** What the owner of the links is told. */
export interface PeerLinksEvents {
  /** Egress: a TCP visitor was announced. */
  opened(session: FrameSession): void;
  /** Egress: a UDP visitor was announced. Null refuses it. */
  openedDatagrams(session: WireDatagrams): DatagramReceiver | null;
  /** Ingress: a session lost its link before anything of it was sent. */
  orphaned(session: FrameSession): void;
  /** A session can only be ended through the control channel. */
  cancel(counter: number, sequence: number): void;
  /** The number of ready links changed. */
  changed(): void;
  /** A datagram was dropped. */
  dropped(): void;
  /** A link ended. */
  lost(error: NodePassError): void;
}

/** Options of {@linkcode PeerLinks}. */
export interface PeerLinksOptions {
  readonly end: "ingress" | "egress";
  readonly maxBufferBytes: number;
  /** The other end cannot switch Nagle's delay off. */
  readonly acknowledge: boolean;
  /** Ready links kept through quiet times. */
  readonly minReady: number;
  /** Ready links at most. */
  readonly maxReady: number;
  /** Quiet time after which surplus ready links are closed. */
  readonly surplusMs: number;
  readonly now: () => number;
  /** See `Clock`. */
  readonly after: (ms: number, run: () => void) => Timer;
  /** See `Clock`. */
  readonly soon: (run: () => void) => void;
  readonly events: PeerLinksEvents;
}

/** See the module. */
export class PeerLinks {
  #options: PeerLinksOptions;
  readonly #late: LateLooks;
  readonly #links = new Map<number, FrameLink>();
  readonly #datagrams: DatagramLink[] = [];
  /** Ingress: ready links, the most recently used one last. */
  readonly #ready: FrameLink[] = [];
  #readyAtEgress = 0;
  /** Fewest ready links since `#quietSince`: what nobody needed in that time. */
  #lowest = 0;
  #quietSince: number;
  #busy = 0;
  #closed = false;

  constructor(options: PeerLinksOptions) {
    this.#options = options;
    this.#late = new LateLooks(options.after);
    this.#quietSince = options.now();
  }

  /** Links that wait for a visitor. */
  get ready(): number {
    return this.#options.end === "ingress" ? this.#ready.length : this.#readyAtEgress;
  }

  /** Links that carry a session. */
  get busy(): number {
    return this.#busy;
  }

  /** Links with a session, and UDP sessions. */
  get sessions(): number {
    return this.#datagrams.reduce((sum, link) => sum + link.sessions, this.#busy);
  }

  /** All links. */
  get total(): number {
    return this.#links.size + this.#datagrams.length;
  }

  /** Applies what the other end says about itself; links that are open keep their manners. */
  configure(changes: Partial<Pick<PeerLinksOptions, "minReady" | "maxReady" | "acknowledge">>): void {
    this.#options = { ...this.#options, ...changes };
  }

  get datagramLinks(): number {
    return this.#datagrams.length;
  }

  /** Takes over an authenticated connection as a link for sessions. */
  add(conn: Conn, counter: number): void {
    if (this.#closed) return conn.close();
    const { end, maxBufferBytes, now } = this.#options;
    const acknowledge = this.#options.acknowledge ? this.#late : null;
    const link = new FrameLink({ conn, end, counter, maxBufferBytes, acknowledge, now, events: this.#linkEvents() });
    this.#links.set(counter, link);
    void link.run();
    this.#becameReady(link);
  }

  /** Takes over an authenticated connection as a link for datagrams. */
  addDatagrams(conn: Conn, counter: number): void {
    if (this.#closed) return conn.close();
    const { end, now, soon, events } = this.#options;
    const link = new DatagramLink({
      conn,
      end,
      counter,
      now,
      soon,
      events: {
        opened: (session) => events.openedDatagrams(session),
        dropped: () => events.dropped(),
        closed: (closed, error) => {
          const at = this.#datagrams.indexOf(closed);
          if (at >= 0) this.#datagrams.splice(at, 1);
          events.lost(error);
          events.changed();
        },
      },
    });
    this.#datagrams.push(link);
    void link.run();
    events.changed();
  }

  /** Ingress: takes the link that was used last, so that surplus ones stay quiet. */
  take(): FrameLink | null {
    const link = this.#ready.pop() ?? null;
    if (link !== null) {
      this.#busy++;
      this.#lowest = Math.min(this.#lowest, this.#ready.length);
      this.#options.events.changed();
    }
    return link;
  }

  /** Ingress: announces a UDP visitor on the datagram link with the fewest sessions. */
  openDatagrams(opening: Opening, receiver: DatagramReceiver): WireDatagrams | null {
    let least: DatagramLink | null = null;
    for (const link of this.#datagrams) if (least === null || link.sessions < least.sessions) least = link;
    return least?.open(opening, receiver) ?? null;
  }

  /** The other end cancelled a session. */
  cancelled(counter: number, sequence: number): void {
    this.#links.get(counter)?.cancelled(sequence);
  }

  /** Coarse timers. `controlLostAt`: when the control channel died, null while it lives. */
  tick(now: number, controlLostAt: number | null): void {
    for (const link of [...this.#links.values()]) link.tick(now, controlLostAt);
    for (const link of [...this.#datagrams]) link.tick(now);
    if (this.#options.end === "ingress") this.#closeSurplus(now);
  }

  /** Closes one link that waits, so that the other end opens it anew. */
  shed(): void {
    this.#ready[0]?.close();
  }

  /** Closes the links that wait; sessions go on. */
  closeReady(): void {
    for (const link of [...this.#links.values()]) if (link.state === "ready") link.close();
  }

  /** Closes everything. */
  close(): void {
    this.#closed = true;
    this.#late.close();
    for (const link of [...this.#links.values()]) link.close();
    for (const link of [...this.#datagrams]) link.close();
  }

  #linkEvents(): FrameLinkEvents {
    const { events, end } = this.#options;
    return {
      opened: (session) => {
        this.#readyAtEgress--;
        this.#busy++;
        events.opened(session);
        events.changed();
      },
      ready: (link) => {
        this.#busy--;
        this.#becameReady(link);
      },
      orphaned: (session) => events.orphaned(session),
      cancel: (link, sequence) => events.cancel(link.counter, sequence),
      closed: (link, error) => {
        this.#links.delete(link.counter);
        const at = this.#ready.indexOf(link);
        if (at >= 0) this.#ready.splice(at, 1);
        else if (end === "egress" && link.wasReady) this.#readyAtEgress--;
        else this.#busy--;
        this.#lowest = Math.min(this.#lowest, this.ready);
        events.lost(error);
        events.changed();
      },
    };
  }

  #becameReady(link: FrameLink): void {
    if (this.#options.end === "egress") {
      this.#readyAtEgress++;
    } else {
      this.#ready.push(link);
      if (this.#ready.length > this.#options.maxReady) return link.close();
    }
    this.#options.events.changed();
  }

  /** Surplus is what was ready all through the last interval, above the minimum: a share of it goes at a time. */
  #closeSurplus(now: number): void {
    if (now - this.#quietSince < this.#options.surplusMs) return;
    this.#quietSince = now;
    const surplus = Math.min(this.#lowest, this.#ready.length) - this.#options.minReady;
    for (let i = Math.ceil(surplus / 4); i > 0; i--) this.#ready[0]?.close();
    this.#lowest = this.#ready.length;
  }
}
