/**
 * Reports of agents that number nothing: an equal one within a minute is the same one.
 *
 * @module
 */
import { toHex } from "../../bytes/hex.ts";
import type { UsageEntry } from "../contract/types.ts";
import type { Database } from "../store/database.ts";
import type { Report } from "./report.ts";

/** How long an equal report counts as the same. */
export const SAME_MS = 60_000;
const SCOPE = "usage";

/** What equal reports have in common, whatever the order of their entries. */
export async function fingerprintOf(nodeId: number, entries: readonly UsageEntry[]): Promise<string> {
  const lines = entries.map(({ userId, subscriptionId, nodeProtocolId, bytesUp, bytesDown, recordedAt }) =>
    `${userId} ${subscriptionId ?? 0} ${nodeProtocolId} ${bytesUp} ${bytesDown} ${recordedAt}`
  );
  const text = `${nodeId}\n${lines.sort().join("\n")}`;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return toHex(hash);
}

/** Whether this is the first of its kind; it is noted, also across replicas. */
export async function isFirst(tx: Database, { nodeId, fingerprint }: Report, now: number): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO idempotency (scope, key, node_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (scope, key) DO UPDATE SET created_at = excluded.created_at, expires_at = excluded.expires_at
        WHERE idempotency.expires_at <= excluded.created_at
      RETURNING 1 AS first`,
    [SCOPE, `${nodeId} ${fingerprint}`, nodeId, now, now + SAME_MS],
  );
  return rows.length > 0;
}
