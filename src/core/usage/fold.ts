/**
 * Adds minutes to hours and days.
 *
 * @module
 */
import { type Database, num } from "../store/database.ts";
import { addToRow, STEPS, SUMS, WHOSE } from "./add_rows.ts";
import { summed } from "./amount.ts";
import { beginFolding, lockFolding, moveFolded } from "./folded.ts";
import { firstMinuteBetween, minutesBetween } from "./minutes.ts";
import { MINUTE_MS, startOf } from "./tally.ts";

/** Minutes that are younger still get rows: what comes later is added to hours and days one by one. */
const LAG_MS: number = 10 * MINUTE_MS;
/** Minutes of one transaction: reports wait for its end. */
const AT_ONCE_MS: number = 5 * MINUTE_MS;

/** Folds what is old enough, some minutes at a time. */
export async function fold(db: Database, now: number, signal: AbortSignal): Promise<void> {
  await beginFolding(db);
  const target = startOf(now - LAG_MS, MINUTE_MS);
  for (let until = 0; until < target && !signal.aborted;) {
    until = await db.transaction((tx) => foldSome(tx, target));
  }
}

/** @returns up to where everything is folded */
async function foldSome(tx: Database, target: number): Promise<number> {
  const folded = await lockFolding(tx);
  if (folded >= target) return folded;
  const [row] = await tx.query(firstMinuteBetween(tx), [folded, target]);
  const first = row?.first === null || row === undefined ? target : num(row.first);
  const until = Math.min(first + AT_ONCE_MS, target);
  if (first < until) {
    for (const step of ["hour", "day"] as const) await foldInto(tx, step, first, until);
  }
  await moveFolded(tx, until);
  return until;
}

async function foldInto(tx: Database, step: "hour" | "day", from: number, until: number): Promise<void> {
  const { table, ms } = STEPS[step];
  const start = `minute / ${ms} * ${ms}`;
  const sums = SUMS.map((column) => summed(tx.dialect, column));
  await tx.exec(
    `INSERT INTO ${table} (${WHOSE}, ${step}, ${SUMS.join(", ")})
      SELECT ${WHOSE}, ${start}, ${sums.join(", ")} FROM ${minutesBetween(tx)}
        GROUP BY ${WHOSE}, ${start} ORDER BY user_id, 5, ${WHOSE} ${addToRow(step)}`,
    [from, until],
  );
}
