/**
 * What was used, for administrators.
 *
 * @module
 */
import type { UsageRange, UsageRow, UsageRows } from "../admin/deps.ts";
import { type Database, num } from "../store/database.ts";
import { STEPS, WHOSE } from "./add_rows.ts";
import { summed } from "./amount.ts";
import { FOLDED_UNTIL } from "./folded.ts";
import { MINUTE_MS } from "./tally.ts";

/** Whose usage. */
export type UsageOf = { readonly userId: number } | { readonly nodeId: number };

/** Rows of one answer. */
export const MOST_ROWS = 2_000;
/** Older minutes are not kept; late ones may be there for an hour. */
const OLDEST_MINUTE_MS: number = 46 * 24 * 3_600_000;

/**
 * Rows of a range, the oldest first. A step that lies in the range in part is told in full.
 *
 * @param now UTC milliseconds
 */
export async function readUsage(db: Database, of: UsageOf, range: UsageRange, now: number): Promise<UsageRows> {
  const { step } = range;
  const stepMs = STEPS[step].ms;
  const [column, id] = "userId" in of ? ["user_id", of.userId] : ["node_id", of.nodeId];
  const to = Math.ceil(range.to / stepMs) * stepMs;
  const oldest = step === "minute" ? now - OLDEST_MINUTE_MS : 0;
  const from = Math.floor(Math.max(range.from, oldest, 0) / stepMs) * stepMs;
  const sql = step !== "minute" ? steps(step, column) : column === "user_id" ? minutesOfUser : minutesOfNode(db);
  const last = Math.min(to, now + 24 * 3_600_000);
  if (from >= last) return { rows: [], truncated: false };
  const sums = ["bytes_up", "bytes_down"].map((name) => `${summed(db.dialect, `r.${name}`)} AS ${name}`).join(", ");
  const rows = await db.query(
    `SELECT r.at AS at, ${WHOSE}, ${sums} FROM (${sql}) AS r GROUP BY r.at, ${WHOSE} ORDER BY r.at, ${WHOSE}
      LIMIT ${MOST_ROWS + 1}`,
    [id, from, last],
  );
  return { rows: rows.slice(0, MOST_ROWS).map(rowOf), truncated: rows.length > MOST_ROWS };
}

const COLUMNS = `${WHOSE}, bytes_up, bytes_down`;

const minutesOfUser = `SELECT minute AS at, ${COLUMNS} FROM usage_minutes
  WHERE user_id = $1 AND minute >= $2 AND minute < $3`;

/** Where minutes come before nodes in the key, each is looked up with its node. */
function minutesOfNode({ dialect }: Database): string {
  if (dialect === "sqlite") {
    return `SELECT minute AS at, ${COLUMNS} FROM usage_minutes WHERE node_id = $1 AND minute >= $2 AND minute < $3`;
  }
  return `WITH RECURSIVE m (minute) AS (SELECT $2::bigint UNION ALL
      SELECT minute + ${MINUTE_MS} FROM m WHERE minute + ${MINUTE_MS} < $3::bigint)
    SELECT m.minute AS at, ${COLUMNS} FROM m CROSS JOIN usage_minutes u
      WHERE u.minute = m.minute AND u.node_id = $1::bigint`;
}

/** What is folded, and the minutes that are not yet. */
function steps(step: "hour" | "day", column: string): string {
  const { table, ms } = STEPS[step];
  return `SELECT ${step} AS at, ${COLUMNS} FROM ${table} WHERE ${column} = $1 AND ${step} >= $2 AND ${step} < $3
    UNION ALL SELECT minute / ${ms} * ${ms}, ${COLUMNS} FROM usage_minutes
      WHERE ${column} = $1 AND minute >= ${FOLDED_UNTIL} AND minute >= $2 AND minute < $3`;
}

function rowOf(row: Readonly<Record<string, unknown>>): UsageRow {
  const subscriptionId = num(row.subscription_id);
  return {
    at: num(row.at),
    nodeId: num(row.node_id),
    nodeProtocolId: num(row.node_protocol_id),
    userId: num(row.user_id),
    subscriptionId: subscriptionId === 0 ? null : subscriptionId,
    bytesUp: BigInt(row.bytes_up as bigint),
    bytesDown: BigInt(row.bytes_down as bigint),
  };
}
