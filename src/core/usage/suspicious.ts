/**
 * Traffic that no link can carry.
 *
 * @module
 */
import type { UsageEntry } from "../contract/types.ts";
import type { NewEvent } from "../events/types.ts";
import type { Report } from "./report.ts";

/** 10 Gbit/s for a minute. */
export const MOST_BYTES: number = 10e9 / 8 * 60;

/** What to tell about a report that claims more than its link carries; null for an ordinary one. It counts all the same. */
export function suspicion({ nodeId, entries }: Report): NewEvent | null {
  let worst: UsageEntry | null = null;
  let count = 0;
  for (const entry of entries) {
    const most = Math.max(entry.bytesUp, entry.bytesDown);
    if (most <= MOST_BYTES) continue;
    count++;
    if (worst === null || most > Math.max(worst.bytesUp, worst.bytesDown)) worst = entry;
  }
  if (worst === null) return null;
  const { recordedAt, ...rest } = worst;
  const data = { entries: count, worst: { ...rest, recordedAt: new Date(recordedAt).toISOString() } };
  return { type: "usage.suspicious", nodeId, data };
}
