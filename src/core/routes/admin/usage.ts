/**
 * Traffic as administrators see it.
 *
 * @module
 */
import type { UsageRange, UsageRows } from "../../admin/deps.ts";
import { bytesOf } from "../../admin/view.ts";
import { oneOf, time } from "../../contract/fields.ts";
import { invalidBody } from "../../contract/parse.ts";
import type { CoreContext } from "../../request.ts";
import { queryOf } from "./call.ts";

const DAY_MS = 24 * 3_600_000;

/** `from`, `to` and `step` of the query: the last day by the hour where nothing is said. */
export function rangeOf(c: CoreContext, now: number): UsageRange {
  const to = queryOf(c, "to", time) ?? Math.floor(now) + 1;
  const from = queryOf(c, "from", time) ?? to - DAY_MS;
  if (from > to) throw invalidBody([{ path: "from", message: 'expected a time before "to"' }]);
  return { from, to, step: queryOf(c, "step", oneOf(["minute", "hour", "day"])) ?? "hour" };
}

/** Rows with their times as text. */
export function usageView({ from, to, step }: UsageRange, { rows, truncated }: UsageRows): object {
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    step,
    truncated,
    items: rows.map(({ at, bytesUp, bytesDown, ...row }) => ({
      at: new Date(at).toISOString(),
      ...row,
      bytesUp: bytesOf(bytesUp),
      bytesDown: bytesOf(bytesDown),
    })),
  };
}
