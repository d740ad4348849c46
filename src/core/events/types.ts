/**
 * What happened, for whoever wants to know.
 *
 * @module
 */
import type { Database } from "../store/database.ts";

/** The types of events. */
export type CoreEventType =
  | "user.online"
  | "user.offline"
  | "user.ip_new"
  | "user.first_connected"
  | "subscription.limit_reached"
  | "node.registered"
  | "node.online"
  | "node.offline"
  | "node.error"
  | "node.synced"
  | "node.sync_failed"
  | "node.sync_stalled"
  | "usage.gap"
  | "usage.suspicious"
  | "usage.orphan";

/** One event before it has an id. */
export interface NewEvent {
  readonly type: CoreEventType;
  readonly nodeId?: number;
  readonly userId?: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** One event. */
export interface CoreEvent extends NewEvent {
  /** UUIDv7. */
  readonly id: string;
  /** UTC milliseconds. */
  readonly at: number;
}

/** The log of events: at least once, in order per node. */
export interface EventLog {
  /** Writes events, if there are any, in this order, with the transaction that they belong to: both happen or none. */
  emit(tx: Database, happened: NewEvent | readonly NewEvent[]): Promise<void>;
  /** Calls `take` with every event from now on, until the returned function is called. */
  subscribe(take: (event: CoreEvent) => void): () => void;
  /** The last events, the oldest first. */
  recent(limit: number): Promise<CoreEvent[]>;
  /** Idempotent. */
  close(): Promise<void>;
}
