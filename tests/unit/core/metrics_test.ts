/** Figures for machines that watch. */
import { createMetrics } from "../../../src/core/metrics.ts";
import { FakeClock } from "../../fake_clock.ts";
import { equal, match, ok, test } from "../../harness.ts";

test("metrics: counters, gauges and histograms in the text format", () => {
  const metrics = createMetrics({ clock: new FakeClock(1_700_000_000_000) });
  metrics.count("core_calls_total");
  metrics.count("core_calls_total", 2);
  metrics.count("core_calls_total", 1, { route: 'a"b\\c\nd' });
  metrics.gauge("core_users", () => 7);
  for (const value of [0.001, 0.002, 40]) metrics.observe("core_call_seconds", value, { method: "x" });
  const text = metrics.text();
  ok(text.endsWith("\n"));
  for (
    const line of [
      "# TYPE core_calls_total counter",
      "core_calls_total 3",
      'core_calls_total{route="a\\"b\\\\c\\nd"} 1',
      "# TYPE core_users gauge",
      "core_users 7",
      "core_start_time_seconds 1700000000",
      "# TYPE core_call_seconds histogram",
      'core_call_seconds_bucket{method="x",le="0.001"} 1',
      'core_call_seconds_bucket{method="x",le="0.0025"} 2',
      'core_call_seconds_bucket{method="x",le="30"} 2',
      'core_call_seconds_bucket{method="x",le="+Inf"} 3',
      'core_call_seconds_count{method="x"} 3',
    ]
  ) ok(text.split("\n").includes(line), line);
  match(text, /core_build_info\{version="\d+\.\d+\.\d+"\} 1/);
});

test("metrics: labels that callers invent do not grow the list for ever", () => {
  const metrics = createMetrics({ clock: new FakeClock() });
  for (let index = 0; index < 5_000; index++) metrics.count("core_calls_total", 1, { route: `r${index}` });
  const lines = metrics.text().split("\n").filter((line) => line.startsWith("core_calls_total{"));
  equal(lines.length, 501);
  ok(lines.includes('core_calls_total{other="true"} 4500'));
});
