/**
 * The stored ratios, and what counts as worse.
 *
 * @module
 */
import { type Comparison, median, round, type Row, spread } from "../rows.ts";

/** Share of a ratio that may be lost before it counts. */
export const TOLERANCE = 0.1;

/** One ratio, as it was measured once. */
export interface StoredRatio {
  readonly to: Comparison["to"];
  readonly better: Comparison["better"];
  readonly median: number;
  /** Smallest and largest repetition. */
  readonly spread: readonly [number, number];
}

/** Ratios by `runtime id`. */
export type Baseline = Readonly<Record<string, StoredRatio>>;

/** A row that became worse. */
export interface Regression {
  readonly name: string;
  /** What was stored and what is measured, for people. */
  readonly text: string;
}

/** The ratios of these rows; rows that were not measured have none. */
export function ratiosOf(runtime: string, rows: readonly Row[]): Baseline {
  const ratios: Record<string, StoredRatio> = {};
  for (const { id, comparison } of rows) {
    const finite = comparison?.ratios.filter(Number.isFinite) ?? [];
    if (comparison === undefined || finite.length === 0) continue;
    const { to, better } = comparison;
    ratios[`${runtime} ${id}`] = { to, better, median: round(median(finite)), spread: spread(finite) };
  }
  return ratios;
}

/**
 * Rows that lost more than the tolerance, as long as the loss is more than noise: neither middle value lies within the
 * other's spread. A stored row that was measured but came to no ratio is lost altogether.
 */
export function regressions(stored: Baseline, measured: Baseline, failed: readonly string[] = []): Regression[] {
  const found: Regression[] = failed
    .filter((name) => stored[name] !== undefined)
    .map((name) => ({ name, text: "could not be measured" }));
  for (const [name, now] of Object.entries(measured)) {
    const then = stored[name];
    if (then === undefined || then.to !== now.to) continue;
    const lost = then.better === "higher" ? 1 - now.median / then.median : now.median / then.median - 1;
    if (lost <= TOLERANCE || within(now.median, then.spread) || within(then.median, now.spread)) continue;
    const text = `${now.median} x ${now.to} (${now.spread.join(" - ")}), stored ${then.median} (${
      then.spread.join(" - ")
    }): ${Math.round(lost * 100)} % worse`;
    found.push({ name, text });
  }
  return found;
}

function within(value: number, [low, high]: readonly [number, number]): boolean {
  return value >= low && value <= high;
}
