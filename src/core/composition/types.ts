/**
 * What Core composes for its nodes, and how far each node has come.
 *
 * @module
 */
import type { NodeConfig } from "../contract/types.ts";
import type { Database } from "../store/database.ts";
import type { Content } from "./content.ts";

/** Whose assignment changed. */
export type ChangeScope = { readonly nodeIds: readonly number[] } | "all";

/** A configuration as it is sent. */
export interface LatestConfig extends Content {
  readonly revision: number;
  /** In its quotes: `"<revision>-<16 hex digits>"`. */
  readonly etag: string;
  /** The body. */
  readonly json: Uint8Array<ArrayBuffer>;
  /** The body, compressed. */
  readonly gz: Uint8Array<ArrayBuffer>;
  /** The body, parsed when it is asked for. */
  readonly config: NodeConfig;
}

/** A snapshot in the history of a node. */
export interface Revision {
  readonly revision: number;
  /** SHA-256 of the body without its revision, 64 hex digits. */
  readonly hash: string;
  /** Why it was issued. */
  readonly reason: string;
  /** UTC milliseconds. */
  readonly createdAt: number;
}

/** Composes configurations and follows them to the nodes. */
export interface Composition {
  /**
   * What is assigned to these nodes changed, and is stored: within about a second they have a new revision, if it makes a
   * difference for them.
   */
  changed(scope: ChangeScope): void;
  /** The same inside the transaction of the change, so that not even a crash loses it; `changed` is to follow. */
  mark(tx: Database, scope: ChangeScope): Promise<void>;
  /**
   * What a node is to run; it counts as delivered.
   *
   * @throws {Failure} NOT_FOUND
   */
  latest(nodeId: number, options: { readonly agentServices: readonly string[] }): Promise<LatestConfig>;
  /**
   * Whether a node has to fetch its configuration.
   *
   * @param revision what it runs; null when nothing was applied
   * @param hash the header `x-config-hash`: 64 hex digits, or the first 16 of them
   */
  heartbeat(nodeId: number, revision: number | null, hash: string | null): Promise<{ readonly needSync: boolean }>;
  /**
   * A node runs this revision.
   *
   * @throws {Failure} REVISION_AHEAD, NOT_FOUND
   */
  applied(nodeId: number, revision: number): Promise<void>;
  /** A node could not apply what it was sent. */
  failed(nodeId: number): Promise<void>;
  /**
   * Issues the body of an old revision under a new number; it stays until the assignment changes.
   *
   * @returns the new number
   * @throws {Failure} NOT_FOUND
   */
  rollback(nodeId: number, revision: number): Promise<number>;
  /**
   * Issues the present body under a new number, so that the node fetches and applies it again.
   *
   * @returns the new number
   * @throws {Failure} NOT_FOUND
   */
  resync(nodeId: number): Promise<number>;
  /** The latest 20, the newest first. */
  revisions(nodeId: number): Promise<Revision[]>;
  /** One of them with its body; null when it is gone. */
  revision(nodeId: number, revision: number): Promise<(Revision & { readonly config: NodeConfig }) | null>;
  /** Composes what is marked now instead of within a second. */
  flush(): Promise<void>;
  /** Waits for what is under way. Idempotent; what is still marked is composed after the next start. */
  close(): Promise<void>;
}
