/**
 * What a link shows to its owner and what it needs from it.
 *
 * @module
 */
import type { NodePassError } from "../../errors.ts";
import type { Conn } from "../../runtime/types.ts";
import type { LateLooks } from "./acknowledger.ts";
import type { FrameLink } from "./frame_link.ts";
import type { FrameSession } from "./frame_session.ts";

/** A link is in exactly one of these states; `FrameLink` moves it in one function. */
export type LinkState =
  /** Waits for a visitor. */
  | "ready"
  /** Carries a session. */
  | "busy"
  /** Ingress end: the session is over, READY has not arrived. */
  | "settling"
  | "closed";

/** What a link tells its owner. */
export interface FrameLinkEvents {
  /** Egress: a visitor was announced. The handler attaches a receiver or aborts before it returns. */
  opened(session: FrameSession): void;
  /** The link is ready for the next visitor. */
  ready(link: FrameLink): void;
  /** Ingress: the link broke before the other end saw the session or any byte of it: place it elsewhere or fail it. */
  orphaned(session: FrameSession): void;
  /** The session can only be ended through the control channel. */
  cancel(link: FrameLink, sequence: number): void;
  closed(link: FrameLink, error: NodePassError): void;
}

/** Options of a link. */
export interface FrameLinkOptions {
  readonly conn: Conn;
  readonly end: "ingress" | "egress";
  /** Counter of the link's preface: its name on the control channel. */
  readonly counter: number;
  /** Largest read buffer in bytes. */
  readonly maxBufferBytes: number;
  /** The other end cannot switch Nagle's delay off: its small frames are answered. Null: it can. */
  readonly acknowledge: LateLooks | null;
  readonly now: () => number;
  readonly events: FrameLinkEvents;
}
