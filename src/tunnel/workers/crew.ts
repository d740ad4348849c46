/**
 * What one worker knows of the others that serve the same instance.
 *
 * @module
 */
import type { HostPort } from "../../config/types.ts";
import type { RootSecret } from "../../wire/secure/root_secret.ts";
import type { ServerIdentity } from "../../wire/secure/identity.ts";
import type { PeerMessage } from "./messages.ts";
import type { SharedSlots } from "./shared_slots.ts";

/** Which sockets an address is for. */
export interface Claim {
  /** Who arrives there: two claims of a port that the system chooses are two ports. */
  readonly arrivals: "links" | "visitors";
  readonly addresses: readonly HostPort[];
  readonly tcp: boolean;
  readonly udp: boolean;
}

/** One worker's view of its crew; an instance without workers has none. */
export interface Crew {
  /** From 0. What is done or said once for all is done by number 0. */
  readonly index: number;
  readonly size: number;
  /** Derived once for all; null when this kind of instance needs none. */
  readonly root: RootSecret | null;
  /** The certificate that all show with `tls=1`. */
  readonly identity: ServerIdentity | null;
  /** Sessions of all together; null = unlimited. */
  readonly slots: SharedSlots | null;
  /** Where the rates of all are paid; null = unlimited. */
  readonly inbound: SharedArrayBuffer | null;
  readonly outbound: SharedArrayBuffer | null;
  /** Difference between the main thread's clock and this one's, in ms. */
  readonly clockOffsetMs: number;
  /**
   * The addresses with the ports that all share, found to be free by a bind that shares with nobody.
   *
   * @throws {NodePassError} the address cannot be bound
   */
  claim(claim: Claim): Promise<readonly HostPort[]>;
  /** Tells all the others, in the order of the calls. */
  post(message: PeerMessage): void;
  /** The same; resolves once all know: null, or why the main thread refuses it. */
  publish(message: PeerMessage): Promise<string | null>;
  /** Calls `handler` with what the others post and publish, and with what was published before. */
  subscribe(handler: (message: PeerMessage) => void): void;
}
