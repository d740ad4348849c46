/**
 * Figures for machines that watch.
 *
 * @module
 */

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
