/**
 * Who is online outlives a restart: without Redis, in a file beside the database, and in what the database knows.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import type { CoreParts } from "../parts.ts";
import { num, numOrNull } from "../store/database.ts";
import { userKey } from "./keys.ts";
import type { Tracked } from "./online.ts";

/** After a longer pause nobody is taken for having stayed. */
const LONGEST_PAUSE_MS = 15 * 60_000;
/** Nodes come back within this after a restart; whoever is with them by then never went. */
const SETTLE_MS = 30_000;
/** How late the database learns of known addresses. */
const NOTED_MS = 60_000;
const MODE = 0o600;
const MOST_BYTES = 256 * 1024 * 1024;

type SnapshotParts = Pick<CoreParts, "runtime" | "settings" | "db" | "ephemeral" | "logger">;

interface Snapshot {
  readonly at: number;
  /** By user, how long before `at` they were seen, and on which node. */
  readonly users: readonly (readonly [userId: number, ageMs: number, nodeId: number | null])[];
}

/** Notes who is online now. */
export async function writeSnapshot(
  parts: SnapshotParts,
  tracked: ReadonlyMap<number, Tracked>,
  { now, stoodStill }: { readonly now: number; readonly stoodStill: number },
): Promise<void> {
  const path = pathOf(parts);
  if (path === null) return;
  const users = [...tracked].map(([userId, { at, nodeId }]) => [userId, Math.max(0, now - stoodStill - at), nodeId]);
  const bytes = new TextEncoder().encode(JSON.stringify({ at: now, users }));
  await parts.runtime.files.writeAtomically(path, bytes, { mode: MODE, sync: false });
}

/**
 * Fills keys and `tracked` with those who were online when Core ended. The pause in which Core was away does not count,
 * and neither does the time until nodes have come back. Redis needs nothing of it: its keys go on living.
 */
export async function seedOnline(parts: SnapshotParts, tracked: Map<number, Tracked>): Promise<void> {
  const { settings, runtime, ephemeral, logger } = parts;
  try {
    if (settings.redisUrl !== null) return await seedTracked(parts, tracked);
    const { alive, seen } = await lastKnown(parts);
    const now = Math.floor(runtime.clock.wall());
    const pause = Math.max(0, now - alive);
    if (pause > LONGEST_PAUSE_MS || seen.size === 0) return;
    const ttlS = settings.onlineTtlMs / 1_000;
    const entries = [...seen].map(([userId, { at }]) => ({ key: userKey(userId), value: String(at + pause), ttlS }));
    await ephemeral.setExMany(entries);
    for (const [userId, { at, nodeId }] of seen) tracked.set(userId, { at: at + pause + SETTLE_MS, nodeId });
    logger.info("Online users of before the restart are taken up", { users: seen.size, pauseMs: pause });
  } catch (error) {
    logger.warn("Cannot take up who was online before the restart", { reason: messageOf(error) });
  }
}

/** With Redis the keys are there: this replica has to notice when they go. */
async function seedTracked({ ephemeral }: SnapshotParts, tracked: Map<number, Tracked>): Promise<void> {
  const prefix = userKey(0).slice(0, -1);
  let cursor: string | null = null;
  do {
    const page: { keys: string[]; cursor: string | null } = await ephemeral.scan(prefix, cursor);
    const values = await ephemeral.getMany(page.keys);
    page.keys.forEach((key, index) => {
      const at = Number(values[index] ?? NaN);
      if (Number.isSafeInteger(at)) tracked.set(Number(key.slice(prefix.length)), { at, nodeId: null });
    });
    cursor = page.cursor;
  } while (cursor !== null);
}

/** When Core was there last, and who was online by then. */
async function lastKnown(parts: SnapshotParts): Promise<{ alive: number; seen: Map<number, Tracked> }> {
  const { db, settings: { userOnlineGapMs, onlineTtlMs } } = parts;
  const snapshot = await readSnapshot(parts);
  const [last] = await db.query(
    `SELECT (SELECT max(last_seen_at) FROM user_ips) AS seen,
            (SELECT max(at) FROM events_outbox WHERE at > $1 AND type = 'user.online') AS arrived`,
    [Math.floor(parts.runtime.clock.wall()) - LONGEST_PAUSE_MS],
  );
  const alive = Math.max(snapshot?.at ?? 0, numOrNull(last?.seen) ?? 0, numOrNull(last?.arrived) ?? 0);
  const seen = new Map<number, Tracked>();
  const add = (userId: number, at: number, nodeId: number | null): void => {
    const before = seen.get(userId);
    if (before === undefined || before.at < at) seen.set(userId, { at, nodeId: nodeId ?? before?.nodeId ?? null });
  };
  for (const [userId, ageMs, nodeId] of snapshot?.users ?? []) {
    // What was reported after the snapshot is not in it: whoever was online then counts as seen until the end.
    if (ageMs < onlineTtlMs) add(userId, Math.max((snapshot as Snapshot).at - ageMs, alive - userOnlineGapMs), nodeId);
  }
  // Without a snapshot times in the database may be a minute late.
  const since = alive - userOnlineGapMs - (snapshot === null ? NOTED_MS : 0);
  for (const row of await db.query("SELECT DISTINCT user_id FROM user_ips WHERE last_seen_at > $1", [since])) {
    add(num(row.user_id), alive - 1, null);
  }
  const arrived = "SELECT DISTINCT user_id, node_id FROM events_outbox WHERE type = 'user.online' AND at > $1";
  for (const row of await db.query(arrived, [since])) {
    if (row.user_id !== null) add(num(row.user_id), alive - 1, numOrNull(row.node_id));
  }
  return { alive, seen };
}

async function readSnapshot(parts: SnapshotParts): Promise<Snapshot | null> {
  const path = pathOf(parts);
  const { files } = parts.runtime;
  if (path === null || !await files.exists(path)) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(await files.readBytes(path, MOST_BYTES)));
    return isSnapshot(value) ? value : null;
  } catch (error) {
    parts.logger.warn("Cannot read who was online", { path, reason: messageOf(error) });
    return null;
  }
}

function isSnapshot(value: unknown): value is Snapshot {
  if (typeof value !== "object" || value === null) return false;
  const { at, users } = value as Partial<Snapshot>;
  return Number.isSafeInteger(at) && Array.isArray(users) &&
    users.every((each) =>
      Array.isArray(each) && Number.isSafeInteger(each[0]) && Number.isSafeInteger(each[1]) &&
      (each[2] === null || Number.isSafeInteger(each[2]))
    );
}

/** Beside the file of SQLite; null: nothing is to be noted, or there is no such place. */
function pathOf({ settings: { redisUrl, database } }: SnapshotParts): string | null {
  if (redisUrl !== null || database.kind !== "sqlite" || database.path === "") return null;
  return `${database.path}.online`;
}
