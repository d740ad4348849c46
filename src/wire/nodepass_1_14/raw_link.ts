/**
 * One connection of the pool: waits, then carries one visitor's bytes as they are, and is used up.
 *
 * @module
 */
import { formatAddress, normalizeIp } from "../../address/ip.ts";
import { messageOf, NodePassError } from "../../errors.ts";
import type { Clock, Conn, Timer } from "../../runtime/types.ts";
import type {
  DatagramReceiver,
  IncomingSession,
  Opening,
  OutgoingSession,
  SessionLink,
  SessionReceiver,
  WireDatagrams,
} from "../types.ts";
import { RawDatagrams } from "./raw_datagrams.ts";
import { RawSession } from "./raw_session.ts";
import type { Signal } from "./signals.ts";

/** A link is in exactly one of these states. */
export type RawLinkState =
  /** Waits for a visitor. */
  | "idle"
  /** Chosen for a visitor. */
  | "taken"
  /** Carries a session. */
  | "busy"
  | "closed";

/** What a link tells its owner. */
export interface RawLinkEvents {
  /** The other end must hear this on the control connection. */
  announce(signal: Signal): void;
  /** It was taken, and waits again. */
  released(link: RawLink): void;
  /** A datagram was dropped because the link could not keep up. */
  dropped(): void;
  /** The link is over; once. Code `closed`: by this end, or with its session; else it broke while nobody used it. */
  closed(link: RawLink, error: NodePassError): void;
}

/** Options of {@linkcode RawLink}. */
export interface RawLinkOptions {
  readonly conn: Conn;
  readonly id: string;
  /** Whether visitors arrive here or at the other end. */
  readonly end: "ingress" | "egress";
  /** Largest read buffer in bytes. */
  readonly maxBufferBytes: number;
  readonly clock: Pick<Clock, "after">;
  readonly events: RawLinkEvents;
}

/** The first read of a link is pending while it waits: that shows its end, and keeps a visitor's first bytes. */
export interface FirstRead {
  readonly buffer: Uint8Array;
  readonly count: Promise<number | null>;
}

const FIRST_BYTES = 4 * 1024;
/** How long the end of a link is taken for a visitor's own, whose signal is under way. */
const EARLY_END_MS = 1_000;
/** How long bytes are taken for a visitor's own. What called may be no link at all: another client's handshake. */
const EARLY_BYTES_MS = 5_000;
/** No stack is collected for each session. */
const OVER = new NodePassError("closed", "The session on the link is over");

/** See the module. */
export class RawLink implements SessionLink {
  readonly conn: Conn;
  readonly id: string;
  readonly first: FirstRead;
  readonly #options: RawLinkOptions;
  #state: RawLinkState = "idle";
  /** What the first read came to while nobody used the link; undefined while it is pending. */
  #early: number | null | undefined = undefined;
  #earlyEnd: Timer | null = null;
  #user: RawSession | RawDatagrams | null = null;

  constructor(options: RawLinkOptions) {
    this.#options = options;
    this.conn = options.conn;
    this.id = options.id;
    const buffer = new Uint8Array(Math.min(FIRST_BYTES, options.maxBufferBytes));
    this.first = { buffer, count: this.conn.read(buffer) };
    this.first.count.then((count) => {
      this.#early = count;
      if (this.#state === "idle") this.#heardEarly();
    }, (error) => {
      if (this.#user === null) this.#over(asError(error));
    });
  }

  get state(): RawLinkState {
    return this.#state;
  }

  get maxBufferBytes(): number {
    return this.#options.maxBufferBytes;
  }

  get clock(): Pick<Clock, "after"> {
    return this.#options.clock;
  }

  /** Chosen for a visitor. */
  take(): void {
    if (this.#state === "idle") this.#state = "taken";
  }

  /** Not needed after all: waits again. */
  release(): void {
    if (this.#state !== "taken") return;
    this.#state = "idle";
    this.#options.events.released(this);
    if (this.#early !== undefined) this.#heardEarly();
  }

  /** Ingress: puts a visitor on the link and tells the other end. */
  open(opening: Opening, receiver: SessionReceiver): OutgoingSession {
    const session = new RawSession(this, opening);
    const usable = this.#use(session);
    if (usable) this.#announce(opening);
    session.attach(receiver);
    if (!usable) session.abort("link_lost");
    return session;
  }

  /** Egress: the other end put a visitor on the link. */
  accept(opening: Opening): IncomingSession {
    const session = new RawSession(this, opening);
    if (!this.#use(session)) session.abort("link_lost");
    return session;
  }

  /** Ingress: puts a UDP visitor on the link and tells the other end. */
  openDatagrams(opening: Opening, receiver: DatagramReceiver): WireDatagrams {
    const datagrams = this.#datagrams(opening);
    if (this.#user === datagrams) this.#announce(opening);
    datagrams.attach(receiver);
    return datagrams;
  }

  /** Egress: the other end put a UDP visitor on the link. */
  acceptDatagrams(opening: Opening): WireDatagrams & { attach(receiver: DatagramReceiver): void } {
    return this.#datagrams(opening);
  }

  /** Closes the link; a session on it ends with `link_lost`. */
  close(): void {
    const user = this.#user;
    if (user instanceof RawSession) user.abort("link_lost");
    else if (user !== null) user.fail();
    else this.#over(new NodePassError("closed", "Link was closed"));
  }

  /** Called by the session when both directions are over. */
  done(): void {
    this.#over(OVER);
  }

  #use(user: RawSession | RawDatagrams): boolean {
    if (this.#state !== "idle" && this.#state !== "taken") return false;
    this.#user = user;
    this.#state = "busy";
    this.#earlyEnd?.cancel();
    return true;
  }

  #datagrams(opening: Opening): RawDatagrams {
    const datagrams = new RawDatagrams(this, opening, () => this.#options.events.dropped());
    if (!this.#use(datagrams)) datagrams.fail();
    return datagrams;
  }

  #announce({ protocol, visitor }: Opening): void {
    const remote = formatAddress({ host: normalizeIp(visitor.host), port: visitor.port });
    this.#options.events.announce({ action: protocol, remote, id: this.id });
  }

  /** Something arrived on a link that waits. */
  #heardEarly(): void {
    const { end, clock } = this.#options;
    if (end === "ingress") {
      return this.#over(
        this.#early === null ? closedByPeer() : unexpectedBytes(),
      );
    }
    // A visitor may send, or end, before the signal that announces it has arrived on its own connection.
    this.#earlyEnd ??= clock.after(this.#early === null ? EARLY_END_MS : EARLY_BYTES_MS, () => {
      if (this.#user === null) this.#over(this.#early === null ? closedByPeer() : unexpectedBytes());
    });
  }

  #over(error: NodePassError): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#earlyEnd?.cancel();
    this.conn.close();
    this.#options.events.closed(this, error);
  }
}

function unexpectedBytes(): NodePassError {
  return new NodePassError("protocol", "Peer sent bytes on a link that serves nobody");
}

function closedByPeer(): NodePassError {
  return new NodePassError("connection_reset", "Link was closed by the other end");
}

function asError(error: unknown): NodePassError {
  return error instanceof NodePassError
    ? error
    : new NodePassError("connection_reset", `Link broke: ${messageOf(error)}`, { cause: error });
}
