/**
 * Partitions of minutes, one a day (PostgreSQL): old days go as a whole instead of row by row.
 *
 * @module
 */
import type { Database } from "../store/database.ts";
import { startOf } from "./tally.ts";

const DAY_MS = 24 * 3_600_000;
const PREFIX = "usage_minutes_d";
/** Days that are made ahead. */
const AHEAD = 2;
/** Any number that nothing else uses: replicas take turns. */
const ADVISORY_LOCK = 7_214_305_119;

/** Makes those of today and the next days; rows of theirs that lie with the rest move over. */
export async function makePartitions(db: Database, now: number): Promise<void> {
  for (let day = startOf(now, DAY_MS), left = AHEAD; left >= 0; left--, day += DAY_MS) {
    await db.transaction((tx) => makePartition(tx, day));
  }
}

async function makePartition(tx: Database, day: number): Promise<void> {
  await tx.query("SELECT pg_advisory_xact_lock($1::bigint) IS NULL AS x", [ADVISORY_LOCK]);
  const name = nameOf(day);
  const [there] = await tx.query("SELECT 1 AS one FROM pg_class WHERE relname = $1 AND relkind = 'r'", [name]);
  if (there !== undefined) return;
  const range = `minute >= ${day} AND minute < ${day + DAY_MS}`;
  // Nobody writes into the rest while rows leave it.
  await tx.exec("LOCK TABLE usage_minutes IN SHARE ROW EXCLUSIVE MODE");
  await tx.exec(`CREATE TABLE ${name} (LIKE usage_minutes INCLUDING ALL)`);
  await tx.exec(
    `WITH moved AS (DELETE FROM usage_minutes_rest WHERE ${range} RETURNING *) INSERT INTO ${name} SELECT * FROM moved`,
  );
  await tx.exec(`ALTER TABLE usage_minutes ATTACH PARTITION ${name} FOR VALUES FROM (${day}) TO (${day + DAY_MS})`);
}

/** Drops the days that end before this time. */
export async function dropPartitions(db: Database, before: number): Promise<void> {
  const rows = await db.query(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'usage_minutes'::regclass AND c.relname LIKE $1 AND c.relname < $2 ORDER BY c.relname`,
    [`${PREFIX}%`, nameOf(startOf(before, DAY_MS))],
  );
  for (const { name } of rows) await db.exec(`DROP TABLE IF EXISTS ${String(name)}`);
}

function nameOf(day: number): string {
  return PREFIX + new Date(day).toISOString().slice(0, 10).replaceAll("-", "");
}
