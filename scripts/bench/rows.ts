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
  const ratios = samples.ours.map((value, i) => value / samples.haproxy[i]!);
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
  };
}

/** A figure that is judged against a number. */
export function limitRow(
  id: string,
  unit: string,
  samples: readonly number[],
  maximum: number,
  extra: Readonly<Record<string, unknown>> = {},
): Row {
  const value = median(samples);
  const measured = { value: round(value), unit, spread: spread(samples), ...extra };
  return { id, pass: value <= maximum, measured, demand: `<= ${maximum} ${unit}` };
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

/** The rows as a Markdown table. */
export function markdownTable(rows: readonly Row[]): string {
  const lines = ["| Id | Result | Value | HAProxy | Ratio | Bare loop | Demand |", "|---|---|---|---|---|---|---|"];
  for (const { id, pass, measured, demand } of rows) {
    const result = pass === null ? "skipped" : pass ? "ok" : "MISSED";
    const value = measured["value"] === undefined
      ? String(measured["skipped"] ?? measured["error"] ?? "").split("\n")[0]!.slice(0, 100)
      : `${measured["value"]} ${measured["unit"]} ${range(measured["spread"])}`;
    const haproxy = measured["haproxy"] === undefined
      ? ""
      : `${measured["haproxy"]} ${range(measured["haproxySpread"])}`;
    const figures = [value.trim(), haproxy.trim(), measured["ratio"] ?? "", measured["bareLoop"] ?? ""];
    lines.push(`| ${[id, result, ...figures, demand].join(" | ")} |`);
  }
  return lines.join("\n");
}

function range(value: unknown): string {
  return Array.isArray(value) ? `(${value[0]} - ${value[1]})` : "";
}
