/**
 * Addresses are personal data: they go when nobody needs them any more.
 *
 * @module
 */
import type { CoreParts } from "../parts.ts";
import { type Database, num } from "../store/database.ts";

const EVERY_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Addresses that were not seen for so long. */
const KEPT_MS = 90 * DAY_MS;
/** Addresses that are kept of one user: the latest. */
const MOST_OF_A_USER = 1_000;
/** Users whose surplus one run takes away. */
const AT_ONCE = 500;
const ADDRESSES_AT_ONCE = 5_000;

/** Takes old addresses away, those of users who are no more, and the surplus. */
export function keepAddresses({ jobs, db, runtime: { clock } }: Pick<CoreParts, "jobs" | "db" | "runtime">): void {
  jobs.every("presence.retention", EVERY_MS, async (signal) => {
    await db.exec("DELETE FROM user_ips WHERE last_seen_at < $1", [Math.floor(clock.wall()) - KEPT_MS]);
    if (!signal.aborted) await dropWithoutUser(db);
    if (!signal.aborted) await trim(db, signal);
    await dropUnused(db, signal);
  });
}

async function dropWithoutUser(db: Database): Promise<void> {
  // Read first: it looks at every row, and must not keep others from writing meanwhile.
  const rows = await db.query(
    `SELECT DISTINCT user_id FROM user_ips WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.id = user_ips.user_id)`,
  );
  await db.execMany("DELETE FROM user_ips WHERE user_id = $1", rows.map(({ user_id }) => [num(user_id)]));
}

/** What is known of addresses that nobody has any more, some at a time. */
async function dropUnused(db: Database, signal: AbortSignal): Promise<void> {
  for (let after: string | null = ""; after !== null && !signal.aborted;) {
    const rows: { readonly ip: string; readonly used: bigint }[] = await db.query(
      `SELECT ip, CASE WHEN EXISTS (SELECT 1 FROM user_ips u WHERE u.ip = i.ip) THEN 1 ELSE 0 END AS used
       FROM ip_info i WHERE ip > $1 ORDER BY ip LIMIT ${ADDRESSES_AT_ONCE}`,
      [after],
    );
    await db.execMany(
      "DELETE FROM ip_info WHERE ip = $1 AND NOT EXISTS (SELECT 1 FROM user_ips u WHERE u.ip = ip_info.ip)",
      rows.filter(({ used }) => num(used) === 0).map(({ ip }) => [ip]),
    );
    after = rows.length < ADDRESSES_AT_ONCE ? null : rows.at(-1)?.ip ?? null;
  }
}

async function trim(db: Database, signal: AbortSignal): Promise<void> {
  const rows = await db.query(
    `SELECT user_id FROM user_ips GROUP BY user_id HAVING count(*) > ${MOST_OF_A_USER} LIMIT ${AT_ONCE}`,
  );
  for (const row of rows) {
    if (signal.aborted) return;
    await db.exec(
      `DELETE FROM user_ips WHERE user_id = $1 AND ip NOT IN (
         SELECT ip FROM user_ips WHERE user_id = $1 ORDER BY last_seen_at DESC, ip LIMIT ${MOST_OF_A_USER})`,
      [num(row.user_id)],
    );
  }
}

/** Erases every address that is kept of a user, in whatever table; how many there were. */
export async function eraseUserIps(tx: Database, userId: number): Promise<number> {
  await tx.exec(
    `DELETE FROM ip_info WHERE ip IN (SELECT ip FROM user_ips WHERE user_id = $1)
     AND NOT EXISTS (SELECT 1 FROM user_ips o WHERE o.ip = ip_info.ip AND o.user_id <> $1)`,
    [userId],
  );
  const erased = await tx.exec("DELETE FROM user_ips WHERE user_id = $1", [userId]);
  await tx.exec(
    `INSERT INTO session_events (node_id, user_id, protocol, event_type, occurred_at, ip_address)
     SELECT node_id, user_id, protocol, event_type, occurred_at, '' FROM session_events
     WHERE user_id = $1 AND ip_address <> '' ON CONFLICT DO NOTHING`,
    [userId],
  );
  await tx.exec("DELETE FROM session_events WHERE user_id = $1 AND ip_address <> ''", [userId]);
  await tx.exec(
    `UPDATE events_outbox SET data = '{"erased":true}'
     WHERE user_id = $1 AND type IN ('user.online', 'user.ip_new', 'user.first_connected')`,
    [userId],
  );
  return erased;
}
