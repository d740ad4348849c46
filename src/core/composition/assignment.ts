/**
 * What is assigned to a node: everything that its configuration is made of.
 *
 * @module
 */
import type { JsonObject } from "../contract/types.ts";

/** One way in for one user. */
export interface AssignedLink {
  /** Lower-case UUID. */
  readonly uuid: string;
  readonly userId: number;
  readonly subscriptionId: number | null;
  /** What the protocol asks for besides the UUID; null makes it out of the UUID. */
  readonly secret: string | null;
  /** End of the subscription in UTC milliseconds; null without one. */
  readonly expiresAt: number | null;
  readonly maxConnections: number | null;
  readonly maxUniqueIps: number | null;
}

/** An inbound of a node and who may use it. */
export interface AssignedProtocol {
  readonly id: number;
  readonly service: "xray" | "mtproto";
  readonly protocol: string;
  readonly tag: string;
  /** What the inbound says besides its tag and its clients; `client` is what every client of it says. */
  readonly settings: JsonObject;
  /** Ordered by UUID. Protocols with equal users share one list. */
  readonly links: readonly AssignedLink[];
}

/** An outbound of a node. */
export interface AssignedOutbound {
  readonly tag: string;
  readonly settings: JsonObject;
}

/** A tunnel of a node. */
export interface AssignedTunnel {
  /** Eight lower-case hex digits, as a master names its instances. */
  readonly id: string;
  readonly alias: string;
  readonly url: string;
}

/** Everything that one node is to run, in an order that does not depend on chance. */
export interface Assignment {
  /** Ordered by id; only those that are enabled. */
  readonly protocols: readonly AssignedProtocol[];
  /** Ordered by id. */
  readonly outbounds: readonly AssignedOutbound[];
  readonly routing: JsonObject;
  /** Ordered by id; only those that are enabled. */
  readonly tunnels: readonly AssignedTunnel[];
}
