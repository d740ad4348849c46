/**
 * Figures of quarters of an hour, made of those of minutes; and the end of both.
 *
 * @module
 */
import type { CoreParts } from "../parts.ts";
import { type Database, num, numOrNull } from "../store/database.ts";
import { listed, Merged } from "./figures.ts";
import { MINUTE_MS, readFigures } from "./minutes.ts";

/** A quarter of an hour. */
export const QUARTER_MS: number = 15 * MINUTE_MS;
const EVERY_MS = 5 * MINUTE_MS;
/** Replicas write their minutes within this. */
const LATE_MS = 2 * MINUTE_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** How long minutes and quarters are kept. */
const MINUTES_KEPT_MS = 48 * HOUR_MS;
const QUARTERS_KEPT_MS = 90 * 24 * HOUR_MS;
const DONE_KEY = "stats.quarters_until";
/** Nodes whose minutes are read at once. */
const AT_ONCE = 200;

/** Makes quarters from now on. */
export function keepQuarters({ jobs, db, runtime: { clock } }: Pick<CoreParts, "jobs" | "db" | "runtime">): void {
  jobs.every("stats.quarters", EVERY_MS, async (signal) => {
    const now = Math.floor(clock.wall());
    const until = quarterOf(now - LATE_MS);
    for (let at = await nextQuarter(db, now); at < until && !signal.aborted; at += QUARTER_MS) {
      await makeQuarter(db, at, signal);
      if (!signal.aborted) await noteDone(db, at + QUARTER_MS);
    }
    if (signal.aborted) return;
    await db.exec("DELETE FROM node_stats_1m WHERE at < $1", [now - MINUTES_KEPT_MS]);
    await db.exec("DELETE FROM node_stats_15m WHERE at < $1", [now - QUARTERS_KEPT_MS]);
  });
}

function quarterOf(at: number): number {
  return Math.floor(at / QUARTER_MS) * QUARTER_MS;
}

async function nextQuarter(db: Database, now: number): Promise<number> {
  const [done] = await db.query("SELECT value FROM core_values WHERE key = $1", [DONE_KEY]);
  const [first] = await db.query("SELECT min(at) AS at FROM node_stats_1m");
  const oldest = quarterOf(numOrNull(first?.at) ?? now);
  const after = done === undefined ? 0 : Number(done.value);
  return Math.max(oldest, Number.isSafeInteger(after) ? after : 0);
}

async function noteDone(db: Database, at: number): Promise<void> {
  await db.exec(
    "INSERT INTO core_values (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    [DONE_KEY, String(at)],
  );
}

async function makeQuarter(db: Database, at: number, signal: AbortSignal): Promise<void> {
  for (let after = 0; !signal.aborted;) {
    const nodes = await db.query(
      `SELECT DISTINCT node_id FROM node_stats_1m WHERE at >= $1 AND at < $2 AND node_id > $3
       ORDER BY node_id LIMIT ${AT_ONCE}`,
      [at, at + QUARTER_MS, after],
    );
    if (nodes.length === 0) return;
    const last = num(nodes.at(-1)?.node_id);
    const rows = await db.query(
      `SELECT node_id, samples, stats FROM node_stats_1m
       WHERE at >= $1 AND at < $2 AND node_id > $3 AND node_id <= $4 ORDER BY node_id, at`,
      [at, at + QUARTER_MS, after, last],
    );
    const merged = new Map<number, Merged>();
    for (const row of rows) {
      const nodeId = num(row.node_id);
      let all = merged.get(nodeId);
      if (all === undefined) merged.set(nodeId, all = new Merged());
      all.add(listed(readFigures(row.stats)), num(row.samples));
    }
    await db.execMany(
      `INSERT INTO node_stats_15m (node_id, at, samples, stats) SELECT id, $2, $3, $4 FROM nodes WHERE id = $1
       ON CONFLICT (node_id, at) DO UPDATE SET samples = excluded.samples, stats = excluded.stats`,
      [...merged].map(([nodeId, all]) => [nodeId, at, all.samples, JSON.stringify(all.figures)]),
    );
    after = last;
  }
}
