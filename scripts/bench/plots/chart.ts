/**
 * A chart as it is stored: what was measured, and how it is to be shown.
 *
 * @module
 */
import { median, round } from "../rows.ts";

/** A measured point: the middle repetition, the smallest and the largest. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

/** One line. */
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

/** A horizontal line that says what is asked for. */
export interface Limit {
  readonly name: string;
  readonly y: number;
}

/** An axis; logarithmic ones start at the smallest point, others at 0. */
export interface Axis {
  /** With the unit. */
  readonly title: string;
  readonly log: boolean;
}

/** One picture. */
export interface Chart {
  readonly title: string;
  /** How and on what it was measured. */
  readonly subtitle: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly limits?: readonly Limit[];
}

/** The point of these repetitions. */
export function pointOf(x: number, samples: readonly number[]): Point {
  return { x, y: round(median(samples)), low: round(Math.min(...samples)), high: round(Math.max(...samples)) };
}
