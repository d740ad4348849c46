import { type Chart, pointOf } from "../../../../scripts/bench/plots/chart.ts";
import { scaleOf, tickText } from "../../../../scripts/bench/plots/scale.ts";
import { drawChart } from "../../../../scripts/bench/plots/svg.ts";
import { deepEqual, equal, match, ok, test } from "../../../harness.ts";

const CHART: Chart = {
  title: "Streams & <more>",
  subtitle: "here",
  x: { title: "Streams", log: true },
  y: { title: "Throughput (Gbit/s)", log: false },
  series: [
    { name: "tls 0", points: [pointOf(1, [9, 10, 12]), pointOf(4, [20, 20, 20])] },
    { name: "tls 1", points: [pointOf(1, [5]), pointOf(4, [7])] },
  ],
  limits: [{ name: "demand", y: 15 }],
};

test("pointOf() keeps the middle, the smallest and the largest repetition", () => {
  deepEqual(pointOf(8, [3, 1, 2]), { x: 8, y: 2, low: 1, high: 3 });
});

test("scaleOf() starts a linear axis at 0 and ends it on a round mark", () => {
  const scale = scaleOf({ values: [3, 17.2], log: false, from: 400, to: 0 });
  deepEqual(scale.ticks, [0, 5, 10, 15, 20]);
  equal(scale.at(0), 400);
  equal(scale.at(20), 0);
});

test("scaleOf() marks powers of two on a logarithmic axis of powers of two", () => {
  const scale = scaleOf({ values: [1, 2, 4, 256], log: true, from: 0, to: 80 });
  deepEqual(scale.ticks, [1, 2, 4, 8, 16, 32, 64, 128, 256]);
  equal(Math.round(scale.at(16)), 40);
});

test("scaleOf() marks 1, 2 and 5 of each decade on other logarithmic axes", () => {
  deepEqual(scaleOf({ values: [1, 30, 200], log: true, from: 0, to: 1 }).ticks, [1, 2, 5, 10, 20, 50, 100, 200]);
});

test("scaleOf() takes a single value and zeros", () => {
  deepEqual(scaleOf({ values: [0], log: false, from: 0, to: 1 }).ticks.at(0), 0);
  ok(Number.isFinite(scaleOf({ values: [7], log: true, from: 0, to: 1 }).at(7)));
});

test("tickText() writes long numbers short", () => {
  deepEqual([0.25, 10, 10_000, 250_000].map(tickText), ["0.25", "10", "10,000", "250k"]);
});

test("drawChart() draws each series once, its spread, the legend and the limit", () => {
  const svg = drawChart(CHART);
  equal(svg.match(/class="bar"/g)?.length, 1);
  equal(svg.match(/class="limit"/g)?.length, 1);
  for (const name of ["tls 0", "tls 1", "demand", "Streams", "Throughput (Gbit/s)"]) {
    ok(svg.includes(`>${name}</text>`));
  }
});

test("drawChart() escapes text and knows dark pages", () => {
  const svg = drawChart(CHART);
  match(svg, /Streams &amp; &lt;more>/);
  match(svg, /prefers-color-scheme: ?dark/);
});

test("drawChart() keeps every place inside the picture", () => {
  const places = [...drawChart(CHART).matchAll(/(?:cx|cy|x1|x2|y1|y2)="(-?[\d.]+)"/g)].map(([, value]) =>
    Number(value)
  );
  ok(places.length > 10);
  ok(places.every((value) => value >= 0 && value <= 880));
});
