/**
 * What the tunnel sees of a wire dialect: links that carry one session at a time. It never sees a dialect's bytes.
 *
 * @module
 */
import type { SocketAddress } from "../runtime/types.ts";

/** A visitor as announced to the other end. */
export interface Opening {
  readonly protocol: "tcp" | "udp";
  readonly visitor: SocketAddress;
}

/** Why a session ended otherwise than with both directions complete. */
export type AbortReason =
  /** The socket at the other end was reset or failed. */
  | "reset"
  /** The target could not be dialled. */
  | "dial"
  /** The `slot` limit of the other end. */
  | "slot"
  /** Silent for `read`. */
  | "idle"
  /** Ended by its operator. */
  | "cut"
  /** The other end is shutting down. */
  | "shutdown"
  /** The link broke. */
  | "link_lost";

/** The local socket of a session, as the link drives it: one call at a time, awaited. That is the back-pressure. */
export interface SessionReceiver {
  /** Bytes for the socket, valid until the promise settles. A rejection aborts the session. */
  data(chunk: Uint8Array): Promise<void>;
  /** The other end sends nothing more. */
  end(): Promise<void>;
  /** The session is over at once: reset the socket. */
  abort(reason: AbortReason): void;
}

/** One session on a link. Its sending side is a relay `Sink`. */
export interface WireSession {
  readonly opening: Opening;
  readonly headroom: number;
  readonly headerBytes: number;
  write(buffer: Uint8Array, start: number, end: number): Promise<number>;
  end(): Promise<void>;
  /** Ends both directions now. Idempotent. */
  abort(reason: AbortReason): void;
  /** Null when both directions ended cleanly. Never rejects. */
  readonly finished: Promise<AbortReason | null>;
}

/** A session that this end announces. */
export interface OutgoingSession extends WireSession {
  /** The other end is told now, with what was written so far. */
  announce(): void;
}

/** A session that the other end announced. */
export interface IncomingSession extends WireSession {
  /** Who takes its bytes. Called once, at once. */
  attach(receiver: SessionReceiver): void;
}

/** A link that waits for a visitor. */
export interface SessionLink {
  /** Puts a session on it. */
  open(opening: Opening, receiver: SessionReceiver): OutgoingSession;
  /** Gives it back unused. */
  release(): void;
}

/** The local socket of a UDP session, as the link drives it. */
export interface DatagramReceiver {
  /** One datagram, valid until the returned promise settles (or the call returns). Never throws. */
  data(bytes: Uint8Array): void | Promise<void>;
  /** The other end gave the session up. */
  closed(): void;
}

/** One visitor's UDP session on a wire. */
export interface WireDatagrams {
  readonly opening: Opening;
  /** Sends one datagram, or drops it (counted) when the wire cannot keep up. */
  send(bytes: Uint8Array): void;
  /** Ends the session at both ends. Idempotent. */
  close(): void;
}
