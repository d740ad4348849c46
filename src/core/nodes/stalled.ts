/**
 * Nodes that fetched a configuration and never said what became of it.
 *
 * @module
 */
import type { CoreParts } from "../parts.ts";
import { num } from "../store/database.ts";

/** How long a node may take to apply what it fetched. */
export const STALL_MS: number = 5 * 60_000;
const SWEEP_MS = 15_000;

/** Looks for them again and again. */
export function watchStalled(parts: Pick<CoreParts, "runtime" | "db" | "events" | "jobs">): void {
  parts.jobs.every("nodes.stalled", SWEEP_MS, () => sweepStalled(parts), { lease: false });
}

/** Makes those wait again that were silent for too long, with one event each. */
export async function sweepStalled(
  { runtime: { clock }, db, events }: Pick<CoreParts, "runtime" | "db" | "events">,
): Promise<void> {
  const now = Math.floor(clock.wall());
  await db.transaction(async (tx) => {
    const rows = await tx.query<{ id: bigint; delivered_revision: bigint }>(
      `UPDATE nodes SET sync_status = 'pending', updated_at = $2
       WHERE sync_status = 'delivering' AND delivered_at < $1 RETURNING id, delivered_revision`,
      [now - STALL_MS, now],
    );
    await events.emit(
      tx,
      rows.map(({ id, delivered_revision }) => ({
        type: "node.sync_stalled" as const,
        nodeId: num(id),
        data: { revision: num(delivered_revision) },
      })),
    );
  });
}
