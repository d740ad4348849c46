/**
 * Keys and remembered requests that ended.
 *
 * @module
 */
import type { CoreParts } from "../parts.ts";

const TIDY_MS: number = 60 * 60_000;
/** A key that ended is kept for a while: it says when it was used last. */
const KEPT_MS: number = 30 * 24 * 60 * 60_000;

/** Deletes them now and then. */
export function tidyKeys({ runtime: { clock }, db, jobs }: Pick<CoreParts, "runtime" | "db" | "jobs">): void {
  jobs.every("nodes.tidy", TIDY_MS, async () => {
    const now = Math.floor(clock.wall());
    await db.exec("DELETE FROM node_keys WHERE revoked_at < $1 OR expires_at < $1", [now - KEPT_MS]);
    await db.exec("DELETE FROM idempotency WHERE expires_at < $1", [now]);
  });
}
