/**
 * Compares the counters of subscriptions with their rows: they are equal at all times, or something is wrong.
 *
 * @module
 */
import type { CoreParts } from "../parts.ts";
import { type Database, MAX_INT64, num } from "../store/database.ts";
import { STEPS } from "./add_rows.ts";
import { countedSince } from "./counted.ts";
import { HOURS_KEPT_MS, MINUTES_KEPT_MS } from "./retention.ts";

const PAGE = 200;
const WHOSE = { user: "s.user_id", subscription: "s.id" };

/**
 * Looks at every subscription; what differs is logged and counted.
 *
 * @returns their ids
 */
export async function checkCounters(
  { db, logger, metrics }: Pick<CoreParts, "db" | "logger" | "metrics">,
  now: number,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const wrong: number[] = [];
  for (let after = 0, rows = PAGE; rows === PAGE && !signal.aborted;) {
    const page = await db.query(pageOf(db), [after, now - MINUTES_KEPT_MS, now - HOURS_KEPT_MS]);
    rows = page.length;
    for (const row of page) {
      after = num(row.id);
      if (num(row.equal) === 1) continue;
      wrong.push(after);
      const { id: _, equal: __, ...figures } = row;
      const shown = Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, String(value)]));
      logger.error("A counter differs from its rows", { subscription: after, ...shown });
    }
  }
  metrics.count("core_usage_mismatches_total", wrong.length);
  return wrong;
}

/**
 * One statement sees one state. A period begins within a minute (an hour, a day, once minutes and hours are gone): what
 * it was charged lies between what its whole steps come to and the same with the one that it began in.
 */
function pageOf({ dialect }: Pick<Database, "dialect">): string {
  const cast = dialect === "postgres" ? "::bigint" : "";
  const { minute, hour, day } = STEPS;
  const from = "s.period_started_at";
  const begun = `(CASE WHEN ${from} < $3${cast} THEN ${from} / ${day.ms} * ${day.ms}
    WHEN ${from} < $2${cast} THEN ${from} / ${hour.ms} * ${hour.ms} ELSE ${from} / ${minute.ms} * ${minute.ms} END)`;
  const columns = (["up", "down"] as const).flatMap((way) => [
    `s.used_${way} AS used_${way}, s.lifetime_${way} AS lifetime_${way}`,
    `${countedSince(dialect, way, WHOSE, "0")} AS all_${way}`,
    `${countedSince(dialect, way, WHOSE, from)} AS least_${way}`,
    `${countedSince(dialect, way, WHOSE, begun)} AS most_${way}`,
  ]);
  const right = (["up", "down"] as const).map((way) =>
    `(lifetime_${way} = ${MAX_INT64} OR (lifetime_${way} = all_${way}
      AND used_${way} BETWEEN least_${way} AND most_${way}))`
  );
  return `SELECT c.*, CASE WHEN ${right.join(" AND ")} THEN 1 ELSE 0 END AS equal
    FROM (SELECT s.id AS id, ${columns.join(", ")} FROM subscriptions s WHERE s.id > $1 ORDER BY s.id LIMIT ${PAGE}) c
    ORDER BY c.id`;
}
