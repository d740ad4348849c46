/**
 * The end where visitors arrive: each gets a link, its bytes travel to the end that dials.
 *
 * @module
 */
import { messageOf, NodePassError } from "../errors.ts";
import { formatAddress } from "../address/ip.ts";
import type { Conn, SocketAddress } from "../runtime/types.ts";
import type { DatagramReceiver, Opening, SessionLink, WireDatagrams } from "../wire/types.ts";
import { carry, SocketReceiver } from "./carry.ts";
import type { TunnelContext } from "./context.ts";
import type { EntryHandlers, UdpPath } from "./entry.ts";
import type { Matchmaker } from "./pool/matchmaker.ts";
import type { Session } from "./session_ledger.ts";

/** Announces a UDP visitor on a link; null when no other end takes datagrams now. */
export type OpenDatagrams = (opening: Opening, receiver: DatagramReceiver) => WireDatagrams | null;

/** Serves visitors. */
export class Ingress {
  readonly #context: TunnelContext;
  readonly #matchmaker: Pick<Matchmaker<SessionLink>, "take" | "turnAway">;
  readonly #openDatagrams: OpenDatagrams;

  constructor(
    context: TunnelContext,
    matchmaker: Pick<Matchmaker<SessionLink>, "take" | "turnAway">,
    openDatagrams: OpenDatagrams,
  ) {
    this.#context = context;
    this.#matchmaker = matchmaker;
    this.#openDatagrams = openDatagrams;
  }

  /** For `openEntry`. */
  get handlers(): EntryHandlers {
    return {
      tcp: (visitor, session) => this.#tcp(visitor, session),
      udp: { open: (visitor, session, reply) => this.#udp(visitor, session, reply) },
      starved: () => this.starved(),
    };
  }

  /** Nothing more can be accepted: visitors that wait for links hold the descriptors that the links need. */
  starved(): void {
    this.#matchmaker.turnAway(new NodePassError("limit", "No link can be opened now"));
  }

  /** Serves one TCP visitor until its session has ended; resolves with how it ended. */
  async #tcp(visitor: Conn, session: Session): Promise<string> {
    const { visitorLog, ledger, outbound, runtime } = this.#context;
    let cut = false;
    session.cut = () => {
      cut = true;
      visitor.reset();
    };
    let link: SessionLink;
    try {
      const found = this.#matchmaker.take();
      link = found instanceof Promise ? await found : found;
    } catch (error) {
      visitor.reset();
      ledger.reject("no_link");
      visitorLog.warn("Cannot serve visitor", { visitor: session.visitor, reason: messageOf(error) });
      return "no_link";
    }
    if (cut) {
      link.release();
      return "cut";
    }
    const opening: Opening = { protocol: "tcp", visitor: visitor.remote };
    const receiver = new SocketReceiver(visitor, session, outbound);
    const wire = link.open(opening, receiver);
    const carried = carry(this.#context, visitor, wire, receiver, session);
    // The read of the visitor's first bytes has been issued: when they are there, they take the OPEN along.
    const announcement = runtime.clock.after(0, () => wire.announce());
    try {
      return await carried ?? "done";
    } finally {
      // A session can be over before its timer fires: its bytes took the OPEN along, and the answer came at once.
      announcement.cancel();
    }
  }

  /** Opens the path of a new UDP visitor; null when no other end takes datagrams now. */
  #udp(visitor: SocketAddress, session: Session, reply: (bytes: Uint8Array) => void): UdpPath | null {
    const wire = this.#openDatagrams({ protocol: "udp", visitor }, {
      data: (bytes) => reply(bytes),
      closed: () => session.cut(),
    });
    if (wire === null) {
      this.#context.ledger.reject("no_link");
      this.#context.logger.debug("Cannot serve UDP visitor: no datagram link", { visitor: formatAddress(visitor) });
      return null;
    }
    return wire;
  }
}
