/**
 * How far minutes have been added to hours and days.
 *
 * Every row of a minute before that time is in its hour and its day already; what comes later for such a minute is added
 * to all three. So hours and days are complete up to there, to the byte, and minutes may be forgotten.
 *
 * @module
 */
import { type Database, num } from "../store/database.ts";

const KEY = "usage.folded_until";
/** Any number that nothing else uses. */
const ADVISORY_LOCK = 7_214_305_120;

/** The same as SQL. */
export const FOLDED_UNTIL: string = `COALESCE((SELECT CAST(value AS BIGINT) FROM core_values WHERE key = '${KEY}'), 0)`;

/** Makes the mark where there is none. */
export async function beginFolding(db: Database): Promise<void> {
  await db.exec("INSERT INTO core_values (key, value) VALUES ($1, '0') ON CONFLICT DO NOTHING", [KEY]);
}

/** Reads the mark, which stays until the end of the transaction. */
export async function foldedUntil(tx: Database): Promise<number> {
  return await read(tx, "pg_advisory_xact_lock_shared");
}

/** Reads the mark to move it: waits for everybody who counts at this moment. */
export async function lockFolding(tx: Database): Promise<number> {
  return await read(tx, "pg_advisory_xact_lock");
}

/** Moves the mark. */
export async function moveFolded(tx: Database, until: number): Promise<void> {
  await tx.exec("UPDATE core_values SET value = $2 WHERE key = $1", [KEY, String(until)]);
}

async function read(tx: Database, lock: string): Promise<number> {
  // Such locks are given in the order in which they were asked for: readers that never end do not keep the fold waiting.
  const locked = tx.dialect === "postgres"
    ? tx.query(`SELECT ${lock}($1::bigint) IS NULL AS x`, [ADVISORY_LOCK])
    : null;
  const [[row]] = await Promise.all([tx.query("SELECT value FROM core_values WHERE key = $1", [KEY]), locked]);
  return row === undefined ? 0 : num(row.value);
}
