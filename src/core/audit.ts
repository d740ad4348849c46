/**
 * Who changed what: one row per change, written with it.
 *
 * @module
 */
import type { Database } from "./store/database.ts";

/** One row of the audit log. */
export interface AuditEntry {
  /** UTC milliseconds. */
  readonly at: number;
  /** `token:3`, `node:17`, `core`, or `anonymous`. */
  readonly actor: string;
  /** `node.registered`. */
  readonly action: string;
  /** `node:17`. */
  readonly target?: string | null;
  /** Where the request came from. */
  readonly ip?: string | null;
  readonly requestId?: string | null;
  /** Nothing secret. */
  readonly details?: Readonly<Record<string, unknown>> | null;
}

/** Writes one row with the transaction that it belongs to. */
export async function audit(tx: Database, entry: AuditEntry): Promise<void> {
  const { at, actor, action, target = null, ip = null, requestId = null, details = null } = entry;
  await tx.exec(
    "INSERT INTO audit_log (at, actor, action, target, ip, request_id, details) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    [Math.floor(at), actor, action, target, ip, requestId, details === null ? null : JSON.stringify(details)],
  );
}
