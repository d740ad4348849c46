/**
 * The history of a node, in the steps that somebody asked for.
 *
 * @module
 */
import { type Database, num } from "../store/database.ts";
import { type Figures, listed, Merged } from "./figures.ts";
import { MINUTE_MS, readFigures } from "./minutes.ts";
import { QUARTER_MS } from "./quarters.ts";
import type { Recent } from "./recent.ts";

/** Points of one answer: the latest ones where there are more. */
const MOST_POINTS = 2_000;
/** Rows of one point at most, where a node changed between replicas. */
const ROWS_OF_A_POINT = 2;

/** Figures of a time. */
export interface HistoryPoint extends Figures {
  /** When the step begins. */
  readonly at: string;
  /** How many snapshots it was made of. */
  readonly samples: number;
}

/** Which part of the history. */
export interface HistoryRange {
  readonly from: number;
  readonly to: number;
  readonly step: "2s" | "1m" | "15m";
}

/** The points, the oldest first. */
export async function pointsOf(
  { db, recent }: { readonly db: Database; readonly recent: Recent | undefined },
  nodeId: number,
  { from, to, step }: HistoryRange,
): Promise<HistoryPoint[]> {
  if (step === "2s") {
    const found = (recent?.between(from, to) ?? []).slice(-MOST_POINTS);
    return found.map(({ at, figures }) => ({ at: new Date(at).toISOString(), samples: 1, ...figures }));
  }
  const length = step === "1m" ? MINUTE_MS : QUARTER_MS;
  const start = Math.floor(from / length) * length;
  const rows = await db.query(
    `SELECT at, samples, stats FROM node_stats_${step} WHERE node_id = $1 AND at >= $2 AND at < $3
     ORDER BY at DESC LIMIT ${MOST_POINTS * ROWS_OF_A_POINT}`,
    [nodeId, start, to],
  );
  const points = new Map<number, Merged>();
  for (const row of rows.reverse()) {
    const at = Math.floor(num(row.at) / length) * length;
    let merged = points.get(at);
    if (merged === undefined) points.set(at, merged = new Merged());
    merged.add(listed(readFigures(row.stats)), num(row.samples));
  }
  return [...points].slice(-MOST_POINTS).map(([at, { samples, figures }]) => ({
    at: new Date(at).toISOString(),
    samples,
    ...figures,
  }));
}
