/**
 * What a subscription was charged, added up from its rows.
 *
 * @module
 */
import { type Database, MAX_INT64 } from "../store/database.ts";
import { type Step, STEPS } from "./add_rows.ts";
import { summed } from "./amount.ts";
import { FOLDED_UNTIL } from "./folded.ts";

/** A subscription as SQL: columns or placeholders. */
export interface CountedOf {
  readonly user: string;
  readonly subscription: string;
}

/**
 * SQL for what was charged since a time: whole minutes, or the whole hours and days whose minutes are not kept any more.
 * Minutes that are folded lie in hours and days, the others do not.
 *
 * @param since SQL for the time
 */
export function countedSince(dialect: Database["dialect"], way: "up" | "down", of: CountedOf, since: string): string {
  const [minute, hour, day] = (["minute", "hour", "day"] as const).map((step) => {
    const { ms } = STEPS[step];
    return `((${since} + ${ms - 1}) / ${ms} * ${ms})`;
  });
  // PostgreSQL adds up without a limit, and so may the parts of this sum.
  const total = dialect === "postgres" ? `SUM(counted_${way})` : summed(dialect, `counted_${way}`);
  const sum = (step: Step, where: string): string =>
    `COALESCE((SELECT ${total} FROM ${STEPS[step].table}
      WHERE user_id = ${of.user} AND subscription_id = ${of.subscription} AND ${where}), 0)`;
  return `(${sum("minute", `minute >= ${FOLDED_UNTIL} AND minute >= ${minute}`)}
    + ${sum("minute", `minute < ${FOLDED_UNTIL} AND minute >= ${minute} AND minute < ${hour}`)}
    + ${sum("hour", `hour >= ${hour} AND hour < ${day}`)} + ${sum("day", `day >= ${day}`)})`;
}

/** What a subscription was charged since a time. */
export async function recount(
  tx: Database,
  subscriptionId: number,
  since: number,
): Promise<{ readonly up: bigint; readonly down: bigint }> {
  const of = { user: "s.user_id", subscription: "s.id" };
  const from = tx.dialect === "postgres" ? "$2::bigint" : "$2";
  const [row] = await tx.query(
    `SELECT ${countedSince(tx.dialect, "up", of, from)} AS up, ${countedSince(tx.dialect, "down", of, from)} AS down
      FROM subscriptions s WHERE s.id = $1`,
    [subscriptionId, since],
  );
  return { up: bytesOf(row?.up), down: bytesOf(row?.down) };
}

/** A sum that SQLite could not hold comes as a fraction. */
function bytesOf(value: unknown): bigint {
  const bytes = typeof value === "bigint" ? value : value === undefined ? 0n : MAX_INT64;
  return bytes > MAX_INT64 ? MAX_INT64 : bytes;
}
