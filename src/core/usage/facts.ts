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

/** Keeps subscriptions as they are until the end of the transaction; always in the same order, so that nobody waits for good. */
export async function lockSubscriptions(tx: Database, pairs: readonly Pair[]): Promise<void> {
  if (tx.dialect === "sqlite") return;
  const ids = new Set(pairs.map(({ subscriptionId }) => subscriptionId));
  ids.delete(0);
  if (ids.size === 0) return;
  await tx.query(
    `SELECT COUNT(*) AS locked FROM
      (SELECT id FROM subscriptions WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE) AS l`,
    [[...ids]],
  );
}

/** Marks the pairs that the node was not sent, and those of users and subscriptions that are gone. */
export async function markOrphans(tx: Database, pairs: readonly Pair[], now: number): Promise<void> {
  const source = rowSource(
    tx,
    PAIR,
    pairs.map(({ nodeId, nodeProtocolId, userId, subscriptionId }, at) => [
      ...[at, nodeId, nodeProtocolId, userId, subscriptionId],
    ]),
    2,
  );
  const rows = await tx.query(
    `SELECT t.at, CASE WHEN u.id IS NULL THEN 'user'
        WHEN t.subscription_id <> 0 AND s.id IS NULL THEN 'subscription'
        WHEN n.node_id <> t.node_id THEN 'protocol' ELSE 'pair' END AS reason
      FROM ${source.sql}
      LEFT JOIN delivered_pairs p ON p.node_id = t.node_id AND p.node_protocol_id = t.protocol_id
        AND p.user_id = t.user_id AND p.subscription_id = t.subscription_id AND p.last_delivered_at >= $1
      LEFT JOIN users u ON u.id = t.user_id
      LEFT JOIN subscriptions s ON s.id = t.subscription_id
      LEFT JOIN node_protocols n ON n.id = t.protocol_id
      WHERE p.node_id IS NULL OR u.id IS NULL OR (t.subscription_id <> 0 AND s.id IS NULL)`,
    [now - DELIVERED_MS, ...source.params],
  );
  for (const row of rows) {
    const pair = pairs[num(row.at)];
    if (pair !== undefined) pair.orphan = row.reason as OrphanReason;
  }
}

/** When the period of a subscription began, of those that have entries before it. */
export async function laterPeriods(tx: Database, pairs: readonly Pair[]): Promise<Map<number, number>> {
  const first = new Map<number, number>();
  for (const { subscriptionId, entries } of pairs) {
    if (subscriptionId === 0) continue;
    let earliest = first.get(subscriptionId) ?? Infinity;
    for (const { recordedAt } of entries) earliest = Math.min(earliest, recordedAt);
    first.set(subscriptionId, earliest);
  }
  const source = rowSource(tx, { id: "bigint", earliest: "bigint" }, [...first]);
  const rows = await tx.query(
    `SELECT s.id, s.period_started_at FROM ${source.sql} JOIN subscriptions s ON s.id = t.id
      WHERE s.period_started_at > t.earliest`,
    source.params,
  );
  return new Map(rows.map(({ id, period_started_at }) => [num(id), num(period_started_at)]));
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
