/**
 * Forgets what is too old: minutes after two weeks, hours after half a year, days never.
 *
 * @module
 */
import { type Database, num, type Row } from "../store/database.ts";
import { FOLDED_UNTIL } from "./folded.ts";
import { deleteMinutes, firstMinuteBetween } from "./minutes.ts";
import { dropPartitions } from "./partitions.ts";
import { startOf } from "./tally.ts";

const DAY_MS = 24 * 3_600_000;

/** How long minutes are kept. */
export const MINUTES_KEPT_MS: number = 14 * DAY_MS;
/** How long hours are kept. */
export const HOURS_KEPT_MS: number = 180 * DAY_MS;
/** How long what was counted nowhere is kept. */
export const ORPHANS_KEPT_MS: number = 90 * DAY_MS;
/** Rows of one node that were counted nowhere. */
export const MOST_ORPHANS = 100_000;

/** Deletes it in small steps. */
export async function forgetOld(db: Database, now: number, signal: AbortSignal): Promise<void> {
  // Only what is in hours and days already.
  const [row] = await db.query(`SELECT ${FOLDED_UNTIL} AS folded`);
  const minutesFrom = Math.min(startOf(now - MINUTES_KEPT_MS, DAY_MS), num(row?.folded ?? 0n));
  if (db.dialect === "postgres") await dropPartitions(db, minutesFrom);
  await forgetMinutes(db, minutesFrom, signal);
  await forgetHours(db, startOf(now - HOURS_KEPT_MS, DAY_MS), signal);
  if (signal.aborted) return;
  await db.exec("DELETE FROM usage_orphans WHERE received_at < $1", [now - ORPHANS_KEPT_MS]);
  await trimOrphans(db);
}

async function forgetMinutes(db: Database, before: number, signal: AbortSignal): Promise<void> {
  await inSteps(3_600_000, before, signal, {
    first: () => db.query(firstMinuteBetween(db), [0, before]),
    forget: (until) => db.exec(deleteMinutes(db), [until]),
  });
}

async function forgetHours(db: Database, before: number, signal: AbortSignal): Promise<void> {
  await inSteps(DAY_MS, before, signal, {
    first: () => db.query("SELECT MIN(hour) AS first FROM usage_hours WHERE hour < $1", [before]),
    forget: (until) => db.exec("DELETE FROM usage_hours WHERE hour < $1", [until]),
  });
}

async function inSteps(
  stepMs: number,
  before: number,
  signal: AbortSignal,
  { first, forget }: { readonly first: () => Promise<Row[]>; readonly forget: (until: number) => Promise<number> },
): Promise<void> {
  while (!signal.aborted) {
    const [row] = await first();
    if (row === undefined || row.first === null) return;
    await forget(Math.min(startOf(num(row.first), stepMs) + stepMs, before));
  }
}

/** A node that reports what it was never sent must not fill the disk. */
async function trimOrphans(db: Database): Promise<void> {
  const rows = await db.query(
    "SELECT node_id, COUNT(*) AS rows FROM usage_orphans GROUP BY node_id HAVING COUNT(*) > $1",
    [MOST_ORPHANS],
  );
  for (const { node_id } of rows) {
    const [oldest] = await db.query(
      "SELECT received_at FROM usage_orphans WHERE node_id = $1 ORDER BY received_at DESC LIMIT 1 OFFSET $2",
      [num(node_id), MOST_ORPHANS],
    );
    await db.exec("DELETE FROM usage_orphans WHERE node_id = $1 AND received_at <= $2", [
      num(node_id),
      num(oldest?.received_at ?? 0n),
    ]);
  }
}
