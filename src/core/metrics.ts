/**
 * Figures for machines that watch.
 *
 * @module
 */
import type { Clock } from "../runtime/types.ts";
import { VERSION } from "../version.ts";

/** Labels of one figure: few values each. */
export type MetricLabels = Readonly<Record<string, string>>;

/** Counters, gauges and durations. */
export interface CoreMetrics {
  /** Adds to a counter; its name ends with `_total`. */
  count(name: string, by?: number, labels?: MetricLabels): void;
  /** Notes one duration or size; its name ends with its unit. */
  observe(name: string, value: number, labels?: MetricLabels): void;
  /** A figure that is asked for when somebody reads. */
  gauge(name: string, read: () => number): void;
  /** All of them in the Prometheus text format. */
  text(): string;
}

/** Upper bounds of durations, in seconds. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Upper bounds of anything else. */
const SIZES = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
/** Series of one name: those beyond share one, so that nobody can grow the list. */
const MOST_SERIES = 500;
const REST: MetricLabels = { other: "true" };
const NONE: MetricLabels = {};
/** Labels in words; those that are used again and again are the same objects. */
const keys = new WeakMap<MetricLabels, string>();

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

/** The figures of this process. */
export function createMetrics({ clock }: { readonly clock: Clock }): CoreMetrics {
  const metrics = new Metrics();
  const startedAt = clock.wall();
  metrics.gauge("core_start_time_seconds", () => startedAt / 1000);
  return metrics;
}

class Metrics implements CoreMetrics {
  readonly #counters = new Map<string, Map<string, number>>();
  readonly #histograms = new Map<string, Map<string, Histogram>>();
  readonly #gauges = new Map<string, () => number>();

  count(name: string, by = 1, labels: MetricLabels = NONE): void {
    const [series, key] = at(this.#counters, name, labels);
    series.set(key, (series.get(key) ?? 0) + by);
  }

  observe(name: string, value: number, labels: MetricLabels = NONE): void {
    const [series, key] = at(this.#histograms, name, labels);
    const bounds = boundsOf(name);
    let histogram = series.get(key);
    if (histogram === undefined) {
      series.set(key, histogram = { counts: new Array<number>(bounds.length).fill(0), sum: 0, count: 0 });
    }
    const index = bounds.findIndex((bound) => value <= bound);
    if (index >= 0) histogram.counts[index] = (histogram.counts[index] ?? 0) + 1;
    histogram.sum += value;
    histogram.count++;
  }

  gauge(name: string, read: () => number): void {
    this.#gauges.set(name, read);
  }

  text(): string {
    const lines = ["# TYPE core_build_info gauge", `core_build_info{version="${escaped(VERSION)}"} 1`];
    for (const [name, read] of sorted(this.#gauges)) {
      lines.push(`# TYPE ${name} gauge`, `${name} ${read()}`);
    }
    for (const [name, series] of sorted(this.#counters)) {
      lines.push(`# TYPE ${name} counter`);
      for (const [labels, value] of sorted(series)) lines.push(`${name}${braced(labels)} ${value}`);
    }
    for (const [name, series] of sorted(this.#histograms)) {
      lines.push(`# TYPE ${name} histogram`);
      for (const [labels, histogram] of sorted(series)) lines.push(...histogramLines(name, labels, histogram));
    }
    return lines.join("\n") + "\n";
  }
}

function histogramLines(name: string, labels: string, { counts, sum, count }: Histogram): string[] {
  const lines: string[] = [];
  const start = labels === "" ? "" : `${labels},`;
  let below = 0;
  boundsOf(name).forEach((bound, index) => {
    below += counts[index] ?? 0;
    lines.push(`${name}_bucket{${start}le="${bound}"} ${below}`);
  });
  lines.push(`${name}_bucket{${start}le="+Inf"} ${count}`);
  lines.push(`${name}_sum${braced(labels)} ${sum}`, `${name}_count${braced(labels)} ${count}`);
  return lines;
}

function at<T>(
  all: Map<string, Map<string, T>>,
  name: string,
  labels: MetricLabels,
): [series: Map<string, T>, key: string] {
  let series = all.get(name);
  if (series === undefined) all.set(name, series = new Map());
  const key = keyOf(labels);
  return series.has(key) || series.size < MOST_SERIES ? [series, key] : [series, keyOf(REST)];
}

function keyOf(labels: MetricLabels): string {
  const known = keys.get(labels);
  if (known !== undefined) return known;
  let key = "";
  for (const name in labels) key += `${key === "" ? "" : ","}${name}="${escaped(labels[name] ?? "")}"`;
  keys.set(labels, key);
  return key;
}

function escaped(text: string): string {
  return /[\\"\n]/.test(text) ? text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n") : text;
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function boundsOf(name: string): readonly number[] {
  return name.endsWith("_seconds") ? SECONDS : SIZES;
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
