/**
 * Which pairs of user and subscription a node was sent: what it may report traffic of.
 *
 * @module
 */
import type { NodeConfig } from "../contract/types.ts";
import { type Database, num } from "../store/database.ts";
import type { CoreParts } from "../parts.ts";
import { jsonObject } from "./json_text.ts";
import { loadRevision } from "./snapshots.ts";

/** A pair that stays is written again after this time. */
export const PAIR_REFRESH_MS: number = 24 * 3_600_000;

/** Reports older than this are refused anyway. */
const PAIR_KEPT_MS = 60 * 24 * 3_600_000;

/** Protocol, user and subscription (0 without one). */
type Pair = readonly [nodeProtocolId: number, userId: number, subscriptionId: number];

/** Everything that a node with this configuration serves. */
export function pairsOf({ clientMap, mtprotoClientMap, services }: NodeConfig): Map<string, Pair> {
  const pairs = new Map<string, Pair>();
  const add = (protocolId: number, map: NodeConfig["clientMap"], uuid: string): void => {
    const whose = map[uuid];
    if (whose === undefined) return;
    const pair: Pair = [protocolId, whose.userId, whose.subscriptionId ?? 0];
    pairs.set(pair.join(" "), pair);
  };
  for (const { nodeProtocolId, settings } of services.xray?.inbounds ?? []) {
    const { clients, peers } = jsonObject(settings);
    for (const client of [clients, peers].filter(Array.isArray).flat()) {
      const email = String(jsonObject(client).email ?? "");
      add(nodeProtocolId, clientMap, email.slice(0, email.lastIndexOf(".")));
    }
  }
  for (const { nodeProtocolId, users } of services.mtproto?.inbounds ?? []) {
    for (const { uuid } of users) add(nodeProtocolId, mtprotoClientMap, uuid);
  }
  return pairs;
}

/** Remembers that a node has these pairs. Those that were written lately are left alone. */
export async function storePairs(db: Database, nodeId: number, config: NodeConfig, now: number): Promise<void> {
  const pairs = pairsOf(config);
  const fresh = await db.query(
    `SELECT node_protocol_id, user_id, subscription_id FROM delivered_pairs
      WHERE node_id = $1 AND last_delivered_at > $2`,
    [nodeId, now - PAIR_REFRESH_MS],
  );
  for (const row of fresh) pairs.delete([row.node_protocol_id, row.user_id, row.subscription_id].map(num).join(" "));
  if (pairs.size === 0) return;
  const columns = "(node_id, node_protocol_id, user_id, subscription_id, last_delivered_at)";
  const conflict = `ON CONFLICT (node_id, node_protocol_id, user_id, subscription_id)
    DO UPDATE SET last_delivered_at = excluded.last_delivered_at`;
  const rows = [...pairs.values()];
  if (db.dialect === "sqlite") {
    await db.execMany(
      `INSERT INTO delivered_pairs ${columns} VALUES ($1, $2, $3, $4, $5) ${conflict}`,
      rows.map((pair) => [nodeId, ...pair, now]),
    );
    return;
  }
  await db.exec(
    `INSERT INTO delivered_pairs ${columns} SELECT $1, p, u, s, $5
      FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS t (p, u, s) ${conflict}`,
    [nodeId, rows.map(([protocol]) => protocol), rows.map(([, user]) => user), rows.map(([, , sub]) => sub), now],
  );
}

/** Pairs of nodes that have had the same configuration for long are still theirs; those of long ago are forgotten. */
export async function refreshPairs(parts: Pick<CoreParts, "db" | "runtime">, signal: AbortSignal): Promise<void> {
  const { db, runtime: { clock } } = parts;
  for (let after = 0; !signal.aborted;) {
    const rows = await db.query(
      `SELECT id, delivered_revision FROM nodes
        WHERE id > $1 AND delivered_revision > 0 AND status <> 'disabled' ORDER BY id LIMIT 100`,
      [after],
    );
    if (rows.length === 0) break;
    for (const row of rows) {
      if (signal.aborted) return;
      after = num(row.id);
      const revision = await loadRevision(db, after, num(row.delivered_revision));
      if (revision !== null) await storePairs(db, after, revision.body.config, Math.floor(clock.wall()));
    }
  }
  await db.exec("DELETE FROM delivered_pairs WHERE last_delivered_at < $1", [Math.floor(clock.wall()) - PAIR_KEPT_MS]);
}
