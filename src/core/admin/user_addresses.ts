/**
 * From where a user was seen.
 *
 * @module
 */
import { type Database, num, type Row } from "../store/database.ts";
import { type AdminCall, auditCall, notFound } from "./call.ts";
import { keyOf, type Page, pageOf, type PageRequest } from "./page.ts";
import type { View } from "./records.ts";
import { jsonOf, timeOf } from "./view.ts";

/** Erases what is kept of the addresses of a user; how many there were. */
export type EraseIps = (tx: Database, userId: number) => Promise<number>;

/** @throws {Failure} NOT_FOUND */
export async function requireUser(db: Database, userId: number): Promise<void> {
  const [user] = await db.query("SELECT id FROM users WHERE id = $1", [userId]);
  if (user === undefined) throw notFound("user", userId);
}

/**
 * One page of addresses, in their order as text.
 *
 * @throws {Failure} NOT_FOUND
 */
export async function listUserIps(db: Database, userId: number, page: PageRequest): Promise<Page<View>> {
  await requireUser(db, userId);
  const rows = await db.query(
    "SELECT * FROM user_ips WHERE user_id = $1 AND ip > $2 ORDER BY ip LIMIT $3",
    [userId, keyOf(page.cursor) ?? "", page.limit + 1],
  );
  return pageOf(rows, page, (row) => String(row.ip), view);
}

/** Erases them: addresses are personal data. */
export async function eraseUserIps(db: Database, call: AdminCall, userId: number, erase: EraseIps): Promise<number> {
  await requireUser(db, userId);
  return await db.transaction(async (tx) => {
    const erased = await erase(tx, userId);
    await auditCall(tx, call, "user.erase-ips", `user:${userId}`, { erased });
    return erased;
  });
}

function view(row: Row): View {
  return {
    ip: String(row.ip),
    firstSeenAt: timeOf(num(row.first_seen_at)),
    lastSeenAt: timeOf(num(row.last_seen_at)),
    info: jsonOf<View | null>(row.info, null),
  };
}
