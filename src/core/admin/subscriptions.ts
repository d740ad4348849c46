/**
 * What users bought.
 *
 * @module
 */
import { nodesServing } from "../composition/serving.ts";
import type { SubscriptionChange, SubscriptionCreate } from "../contract/admin_types.ts";
import { type Database, num, numOrNull, type Row } from "../store/database.ts";
import { type Columns, invalid, type RecordKind } from "./records.ts";
import { bytesOf, bytesOrNull, textOrNull, timeOf } from "./view.ts";

/** What was counted of a subscription since a time, multipliers included. */
export type Recount = (
  tx: Database,
  subscriptionId: number,
  since: number,
) => Promise<{ readonly up: bigint; readonly down: bigint }>;

/** Subscriptions. Whether one is over its limit or its date follows from its numbers. */
export function subscriptions(
  recount: Recount,
  changed: (subscriptionId: number) => void,
): RecordKind<SubscriptionCreate, SubscriptionChange> {
  return {
    noun: "subscription",
    table: "subscriptions",
    key: "id",
    filters: { userId: "user_id", status: "status" },
    moving: ["usedUp", "usedDown", "lifetimeUp", "lifetimeDown", "limitReachedAt"],
    sent: ["status", "expires_at", "limit_bytes"],
    view: (row) => ({
      id: num(row.id),
      userId: num(row.user_id),
      name: textOrNull(row.name),
      status: String(row.status),
      limitBytes: bytesOrNull(row.limit_bytes),
      usedUp: bytesOf(row.used_up),
      usedDown: bytesOf(row.used_down),
      lifetimeUp: bytesOf(row.lifetime_up),
      lifetimeDown: bytesOf(row.lifetime_down),
      periodStartedAt: timeOf(row.period_started_at),
      expiresAt: timeOf(row.expires_at),
      limitReachedAt: timeOf(row.limit_reached_at),
      createdAt: timeOf(row.created_at),
      updatedAt: timeOf(row.updated_at),
    }),
    creating: async (tx, { userId, name, limitBytes, periodStartedAt, expiresAt, status }, { at }) => {
      const [user] = await tx.query("SELECT id FROM users WHERE id = $1", [userId]);
      if (user === undefined) throw invalid("userId", `no user ${userId}`);
      const limits = { limit_bytes: limitBytes ?? null, expires_at: expiresAt ?? null };
      return {
        user_id: userId,
        name,
        // Rows are kept by the minute: nothing of this one can be older than the subscription.
        period_started_at: periodStartedAt ?? at - at % 60_000,
        ...limits,
        ...stateOf(limits, 0n, status === "disabled", at),
      };
    },
    changing: async (tx, { name, limitBytes, periodStartedAt, expiresAt, status }, row, { at }) => {
      const limits = {
        limit_bytes: limitBytes === undefined ? numOrNull(row.limit_bytes) : limitBytes,
        expires_at: expiresAt === undefined ? numOrNull(row.expires_at) : expiresAt,
      };
      const period = periodStartedAt === undefined ? {} : await newPeriod(tx, row, periodStartedAt, recount);
      const used = (period.used_up ?? row.used_up as bigint) + (period.used_down ?? row.used_down as bigint);
      const disabled = status === undefined ? row.status === "disabled" : status === "disabled";
      const state = stateOf(limits, used, disabled, at);
      // The moment at which the limit was reached stays while it is reached.
      const reached = state.status === "limited" && row.limit_reached_at !== null
        ? { limit_reached_at: row.limit_reached_at as bigint }
        : { limit_reached_at: state.limit_reached_at };
      return { name, ...limits, ...period, status: state.status, ...reached };
    },
    nodes: (tx, row) => nodesServing(tx, "subscription_id", num(row.id)),
    changed: (row) => changed(num(row.id)),
  };
}

interface Period {
  readonly period_started_at?: number;
  readonly used_up?: bigint;
  readonly used_down?: bigint;
}

/** What was used since then counts already: late reports add to it, earlier rows do not. */
async function newPeriod(tx: Database, row: Row, since: number, recount: Recount): Promise<Period> {
  if (since === num(row.period_started_at)) return {};
  const { up, down } = await recount(tx, num(row.id), since);
  return { period_started_at: since, used_up: up, used_down: down };
}

function stateOf(
  { limit_bytes, expires_at }: { readonly limit_bytes: number | null; readonly expires_at: number | null },
  used: bigint,
  disabled: boolean,
  at: number,
): Columns & { readonly status: string; readonly limit_reached_at: number | null } {
  const limited = limit_bytes !== null && used >= BigInt(limit_bytes);
  const expired = expires_at !== null && expires_at <= at;
  const status = disabled ? "disabled" : expired ? "expired" : limited ? "limited" : "active";
  return { status, limit_reached_at: limited ? at : null };
}
