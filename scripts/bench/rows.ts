/**
 * Rows of the result: how samples become a figure, a verdict and a line.
 *
 * @module
 */

/** One figure. */
export interface Row {
  readonly id: string;
  /** null: not measured here. */
  readonly pass: boolean | null;
  readonly measured: Readonly<Record<string, unknown>>;
  readonly demand: string;
  /** What later runs are compared by. */
  readonly comparison?: Comparison;
}

/** A figure without the machine's own speed: ratios of neighbouring repetitions. */
export interface Comparison {
  readonly to: "HAProxy" | "bare loop" | "demand";
  readonly better: "higher" | "lower";
  readonly ratios: readonly number[];
}

/** The middle value; the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Three or four significant digits, as a number. */
export function round(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}

/** Smallest and largest sample. */
export function spread(values: readonly number[]): [number, number] {
  return [round(Math.min(...values)), round(Math.max(...values))];
}

/** A figure that is judged against HAProxy: the median of the ratios of neighbouring repetitions. */
export function ratioRow(
  id: string,
  unit: string,
  samples: { readonly ours: readonly number[]; readonly haproxy: readonly number[] },
  minimum: number,
  extra: Readonly<Record<string, unknown>> = {},
): Row {
  const ratios = quotients(samples.ours, samples.haproxy);
  const ratio = median(ratios);
  return {
    id,
    pass: ratio >= minimum && extra["errors"] === undefined,
    measured: {
      value: round(median(samples.ours)),
      unit,
      spread: spread(samples.ours),
      haproxy: round(median(samples.haproxy)),
      haproxySpread: spread(samples.haproxy),
      ratio: round(ratio),
      ...extra,
    },
    demand: `>= ${minimum} x HAProxy`,
    comparison: { to: "HAProxy", better: "higher", ratios: ratios.map(round) },
  };
}

/**
 * A figure that is judged against a number. It is compared by its ratio to the bare loop where there is one, else by its
 * share of that number, unless the caller says how.
 */
export function limitRow(
  id: string,
  unit: string,
  samples: readonly number[],
  maximum: number,
  extra: Readonly<Record<string, unknown>> = {},
  comparison: Comparison = comparisonOf(samples, maximum, extra["bareLoop"]),
): Row {
  const value = median(samples);
  const measured = { value: round(value), unit, spread: spread(samples), ...extra };
  return { id, pass: value <= maximum, measured, demand: `<= ${maximum} ${unit}`, comparison };
}

/** A comparison with the demand itself, for figures where less is better. */
export function shareOf(samples: readonly number[], maximum: number): Comparison {
  return { to: "demand", better: "lower", ratios: samples.map((value) => round(value / maximum)) };
}

function comparisonOf(samples: readonly number[], maximum: number, bareLoop: unknown): Comparison {
  if (typeof bareLoop !== "number") return shareOf(samples, maximum);
  return { to: "bare loop", better: "lower", ratios: samples.map((value) => round(value / bareLoop)) };
}

/** Ratios of neighbouring repetitions. */
export function quotients(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, i) => value / theirs[i]!);
}

/** A figure that could not be measured. */
export function skippedRow(id: string, why: string): Row {
  return { id, pass: null, measured: { skipped: why }, demand: "" };
}

/** A figure whose measuring failed, which counts as a miss. */
export function failedRow(id: string, error: unknown): Row {
  const text = error instanceof Error ? error.message : String(error);
  return { id, pass: false, measured: { error: text.slice(0, 1500) }, demand: "a measurement" };
}
