/**
 * Who changed what, to read.
 *
 * @module
 */
import type { CoreParts } from "../parts.ts";
import { type Database, num, type Param, type Row } from "../store/database.ts";
import { numberOf, type Page, pageOf, type PageRequest } from "./page.ts";
import type { View } from "./records.ts";
import { jsonOf, textOrNull, timeOf } from "./view.ts";

/** How long a row is kept. */
const KEPT_MS = 400 * 24 * 3_600_000;
const TIDY_MS = 24 * 3_600_000;

/** One page, the latest first. */
export async function listAudit(
  db: Database,
  page: PageRequest,
  filters: { readonly target?: string; readonly actor?: string },
): Promise<Page<View>> {
  const params: Param[] = [numberOf(page.cursor) ?? Number.MAX_SAFE_INTEGER, page.limit + 1];
  const where = Object.entries(filters).map(([column, value]) => `AND ${column} = $${params.push(value)}`).join(" ");
  const rows = await db.query(`SELECT * FROM audit_log WHERE id < $1 ${where} ORDER BY id DESC LIMIT $2`, params);
  return pageOf(rows, page, (row) => row.id as bigint, view);
}

/** Forgets what is old. */
export function keepAuditShort({ db, jobs, runtime: { clock } }: Pick<CoreParts, "db" | "jobs" | "runtime">): void {
  jobs.every("audit.tidy", TIDY_MS, async () => {
    await db.exec("DELETE FROM audit_log WHERE at < $1", [Math.floor(clock.wall()) - KEPT_MS]);
  });
}

function view(row: Row): View {
  return {
    id: num(row.id),
    at: timeOf(row.at),
    actor: String(row.actor),
    action: String(row.action),
    target: textOrNull(row.target),
    ip: textOrNull(row.ip),
    requestId: textOrNull(row.request_id),
    details: jsonOf<View | null>(row.details, null),
  };
}
