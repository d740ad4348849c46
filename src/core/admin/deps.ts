/**
 * What the routes of administrators ask of the rest of Core.
 *
 * @module
 */
import type { Composition } from "../composition/types.ts";
import type { JoinTokens } from "../node_auth/join_tokens.ts";
import type { CoreNodeAuth } from "../node_auth/node_auth.ts";
import type { CoreContext } from "../request.ts";
import type { Database } from "../store/database.ts";

/** Length of one row of usage. */
export type UsageStep = "minute" | "hour" | "day";

/** Which part of the history of usage. */
export interface UsageRange {
  /** UTC milliseconds, included. */
  readonly from: number;
  /** UTC milliseconds, not included. */
  readonly to: number;
  readonly step: UsageStep;
}

/** Traffic of one pair within one step. */
export interface UsageRow {
  /** Where the step begins, UTC milliseconds. */
  readonly at: number;
  readonly nodeId: number;
  readonly nodeProtocolId: number;
  readonly userId: number;
  readonly subscriptionId: number | null;
  readonly bytesUp: bigint;
  readonly bytesDown: bigint;
}

/** Rows in the order of their times; the oldest ones where there are too many. */
export interface UsageRows {
  readonly rows: readonly UsageRow[];
  /** Whether there are more in the range. */
  readonly truncated: boolean;
}

/** What is counted. */
export interface AdminUsage {
  /** Traffic of one user or on one node. */
  read(of: { readonly userId: number } | { readonly nodeId: number }, range: UsageRange): Promise<UsageRows>;
  /** What was counted of a subscription since a time, multipliers included. */
  recount(tx: Database, subscriptionId: number, since: number): Promise<{ readonly up: bigint; readonly down: bigint }>;
  /** What is remembered of these does not count any more. */
  forget(what: { readonly subscriptionIds?: readonly number[]; readonly nodeIds?: readonly number[] }): void;
}

/** Somebody who is connected. */
export interface OnlineEntry {
  readonly userId: number;
  /** UTC milliseconds. */
  readonly lastSeenAt: number;
}

/** Who is connected. */
export interface AdminPresence {
  /** One page of those who are online, on one inbound or anywhere. */
  onlineUsers(query: {
    readonly nodeProtocolId?: number | undefined;
    readonly cursor?: string | undefined;
    readonly limit: number;
  }): Promise<{ readonly users: readonly OnlineEntry[]; readonly cursor: string | null }>;
  /** Whether one user is, and where. */
  user(userId: number): Promise<{
    readonly online: boolean;
    readonly lastSeenAt: number | null;
    readonly nodeProtocolIds: readonly number[];
  }>;
}

/** Steps of the history of a node. */
export const STATS_STEPS = ["2s", "1m", "15m"] as const;

/** How nodes are. */
export interface AdminStats {
  /** @throws {Failure} NOT_FOUND, ADDRESS_FORBIDDEN, NODE_BAD_REPLY, NODE_UNREACHABLE */
  runtimeStatus(nodeId: number, fromNode: boolean): Promise<object>;
  /** @throws {Failure} NOT_FOUND */
  history(nodeId: number, from: number, to: number, step: (typeof STATS_STEPS)[number]): Promise<object>;
}

/** All of it. */
export interface AdminDeps {
  readonly composition: Composition;
  readonly auth: Pick<CoreNodeAuth, "keys" | "forget">;
  readonly joinTokens: Pick<JoinTokens, "create">;
  readonly usage: AdminUsage;
  readonly presence: AdminPresence;
  readonly stats: AdminStats;
  /** Erases what is kept of the addresses of a user; how many there were. */
  readonly eraseUserIps: (tx: Database, userId: number) => Promise<number>;
  /** Answers with the stream of events. */
  readonly streamEvents: (c: CoreContext) => Response | Promise<Response>;
}
