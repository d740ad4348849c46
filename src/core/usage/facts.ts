/**
 * What the database knows about the pairs of a report, read in the transaction that counts them.
 *
 * @module
 */
import { type Database, num } from "../store/database.ts";
import { rowSource } from "./row_source.ts";
import type { OrphanReason, Pair } from "./tally.ts";

/** How long after it was sent a pair may be reported; pairs that stay are noted once a day. */
const DELIVERED_MS: number = 46 * 24 * 3_600_000;

const PAIR = {
  at: "bigint",
  node_id: "bigint",
  protocol_id: "bigint",
  user_id: "bigint",
  subscription_id: "bigint",
} as const;

/**
 * Keeps subscriptions as they are until the end of the transaction; always in the same order, so that nobody waits for
 * good.
 *
 * @returns when the present period of each began
 */
export async function lockSubscriptions(tx: Database, pairs: readonly Pair[]): Promise<Map<number, number>> {
  const ids = new Set(pairs.map(({ subscriptionId }) => subscriptionId));
  ids.delete(0);
  if (ids.size === 0) return new Map();
  const source = rowSource(tx, { id: "bigint" }, [...ids].map((id) => [id]));
  const rows = await tx.query(
    `SELECT s.id, s.period_started_at FROM ${source.sql} JOIN subscriptions s ON s.id = t.id
      ORDER BY s.id ${tx.dialect === "postgres" ? "FOR NO KEY UPDATE OF s" : ""}`,
    source.params,
  );
  return new Map(rows.map(({ id, period_started_at }) => [num(id), num(period_started_at)]));
}

/** Marks the pairs that the node was not sent, and those of users and subscriptions that are gone. */
export async function examine(tx: Database, pairs: readonly Pair[], now: number): Promise<void> {
  const source = rowSource(tx, PAIR, pairs.map(cellsOf), 2);
  const rows = await tx.query(
    `SELECT t.at,
        CASE WHEN u.id IS NULL THEN 'user'
          WHEN t.subscription_id <> 0 AND s.id IS NULL THEN 'subscription'
          WHEN EXISTS (SELECT 1 FROM node_protocols n WHERE n.id = t.protocol_id AND n.node_id <> t.node_id)
            THEN 'protocol' ELSE 'pair' END AS reason
      FROM ${source.sql}
      LEFT JOIN delivered_pairs p ON p.node_id = t.node_id AND p.node_protocol_id = t.protocol_id
        AND p.user_id = t.user_id AND p.subscription_id = t.subscription_id AND p.last_delivered_at >= $1
      LEFT JOIN users u ON u.id = t.user_id
      LEFT JOIN subscriptions s ON s.id = t.subscription_id
      WHERE p.node_id IS NULL OR u.id IS NULL OR (t.subscription_id <> 0 AND s.id IS NULL)`,
    [now - DELIVERED_MS, ...source.params],
  );
  for (const { at, reason } of rows) {
    const pair = pairs[num(at)];
    if (pair !== undefined) pair.orphan = reason as OrphanReason;
  }
}

function cellsOf({ nodeId, nodeProtocolId, userId, subscriptionId }: Pair, at: number): number[] {
  return [at, nodeId, nodeProtocolId, userId, subscriptionId];
}

/** What traffic of these nodes is multiplied with, in millionths. */
export async function multipliersOf(tx: Database, pairs: readonly Pair[]): Promise<Map<number, number>> {
  const nodes = [...new Set(pairs.map(({ nodeId }) => nodeId))].map((id) => [id]);
  const source = rowSource(tx, { id: "bigint" }, nodes);
  const rows = await tx.query(
    `SELECT n.id, n.usage_multiplier_ppm FROM ${source.sql} JOIN nodes n ON n.id = t.id`,
    source.params,
  );
  return new Map(rows.map(({ id, usage_multiplier_ppm }) => [num(id), num(usage_multiplier_ppm)]));
}
