/**
 * Subscriptions that come to their end: by traffic or by date.
 *
 * @module
 */
import { joinScopes, NOBODY, nodesServing } from "../composition/serving.ts";
import type { ChangeScope, Composition } from "../composition/types.ts";
import type { CoreParts } from "../parts.ts";
import { type Database, MAX_INT64, num, type Row } from "../store/database.ts";
import { rowSource } from "./row_source.ts";

/** What this needs of Core. */
export type LimitParts = Pick<CoreParts, "runtime" | "logger" | "db" | "events" | "jobs" | "metrics">;

/** Those of a date are looked for so often; nodes refuse them by themselves at the same time where they can. */
const EXPIRY_MS = 15_000;
/** Subscriptions of one transaction. */
const AT_ONCE = 200;

/**
 * Ends the subscriptions that used up what they have.
 *
 * @returns whose configuration changes
 */
export async function endUsedUp(
  { events, logger, metrics }: LimitParts,
  composition: Pick<Composition, "mark">,
  tx: Database,
  subscriptionIds: readonly number[],
  now: number,
): Promise<ChangeScope> {
  if (subscriptionIds.length === 0) return NOBODY;
  const source = rowSource(tx, { id: "bigint" }, subscriptionIds.map((id) => [id]));
  const rows = await tx.query(
    `SELECT s.id, s.user_id, s.status, s.limit_bytes, s.used_up, s.used_down, s.lifetime_up, s.lifetime_down
      FROM ${source.sql} JOIN subscriptions s ON s.id = t.id
      WHERE (s.status = 'active' AND s.limit_bytes IS NOT NULL
          AND (s.used_up >= s.limit_bytes OR s.used_down >= s.limit_bytes - s.used_up))
        OR s.lifetime_up = ${MAX_INT64} OR s.lifetime_down = ${MAX_INT64}
      ORDER BY s.id`,
    source.params,
  );
  let scope: ChangeScope = NOBODY;
  for (const row of rows) {
    const subscriptionId = num(row.id);
    if (row.lifetime_up === MAX_INT64 || row.lifetime_down === MAX_INT64) {
      metrics.count("core_usage_clamped_total");
      logger.error("A counter is full: traffic is not counted any more", { subscription: subscriptionId });
    }
    if (row.status !== "active" || row.limit_bytes === null) continue;
    await tx.exec(
      "UPDATE subscriptions SET status = 'limited', limit_reached_at = $2, updated_at = $2 WHERE id = $1",
      [subscriptionId, now],
    );
    await events.emit(tx, { type: "subscription.limit_reached", userId: num(row.user_id), data: limitData(row) });
    scope = joinScopes(scope, await nodesServing(tx, "subscription_id", subscriptionId));
  }
  if (scope !== NOBODY) await composition.mark(tx, scope);
  return scope;
}

function limitData({ id, limit_bytes, used_up, used_down }: Row): Record<string, unknown> {
  const shown = (value: unknown): number | string =>
    Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return {
    subscriptionId: num(id),
    limitBytes: shown(limit_bytes),
    usedUp: shown(used_up),
    usedDown: shown(used_down),
  };
}

/** Ends subscriptions at their dates. */
export function watchExpiry(parts: LimitParts, composition: Pick<Composition, "mark" | "changed">): void {
  parts.jobs.every("usage.expiry", EXPIRY_MS, (signal) => endExpired(parts, composition, signal));
}

async function endExpired(
  { db, runtime: { clock } }: LimitParts,
  composition: Pick<Composition, "mark" | "changed">,
  signal: AbortSignal,
): Promise<void> {
  for (let ended = AT_ONCE; ended === AT_ONCE && !signal.aborted;) {
    const now = Math.floor(clock.wall());
    let scope: ChangeScope = NOBODY;
    ended = await db.transaction(async (tx) => {
      scope = NOBODY;
      const due = await tx.query(
        `SELECT id FROM subscriptions WHERE status IN ('active', 'limited') AND expires_at <= $1
          ORDER BY id LIMIT ${AT_ONCE} FOR UPDATE`,
        [now],
      );
      for (const { id } of due) {
        await tx.exec("UPDATE subscriptions SET status = 'expired', updated_at = $2 WHERE id = $1", [num(id), now]);
        scope = joinScopes(scope, await nodesServing(tx, "subscription_id", num(id)));
      }
      if (scope !== NOBODY) await composition.mark(tx, scope);
      return due.length;
    });
    if (ended > 0) composition.changed(scope);
  }
}
