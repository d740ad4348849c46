/**
 * Draws a chart as SVG that reads well on light and on dark pages.
 *
 * @module
 */
import type { Chart, Point, Series } from "./chart.ts";
import { type Scale, scaleOf, tickText } from "./scale.ts";

const WIDTH = 880;
const HEIGHT = 470;
const LEFT = 78;
const RIGHT = 690;
const TOP = 64;
const BOTTOM = 408;
const LEGEND_LEFT = RIGHT + 24;
const LEGEND_STEP = 24;

const PEER = "HAProxy";

/** Colours that stay apart for colour-blind eyes, on white and on black. */
const LIGHT = ["#666c74", "#0b63c4", "#c2410c", "#0a7d5a", "#a21caf", "#8a6400", "#b91c5c", "#4338ca"] as const;
const DARK = ["#a8b0ba", "#6cb2ff", "#ff9257", "#3fd6a4", "#e28bf0", "#e0b34a", "#ff85b3", "#a5a0ff"] as const;

const MARKERS: readonly ((x: number, y: number) => string)[] = [
  (x, y) => `<circle cx="${x}" cy="${y}" r="4"/>`,
  (x, y) => `<rect x="${x - 3.5}" y="${y - 3.5}" width="7" height="7"/>`,
  (x, y) => `<path d="M${x} ${y - 5}l4.6 8.2h-9.2z"/>`,
  (x, y) => `<path d="M${x} ${y - 5.2}l5.2 5.2-5.2 5.2-5.2-5.2z"/>`,
];

/** The whole file. */
export function drawChart(chart: Chart): string {
  const points = chart.series.flatMap((series) => series.points);
  const limits = chart.limits ?? [];
  const x = scaleOf({ values: points.map((point) => point.x), log: chart.x.log, from: LEFT, to: RIGHT });
  const heights = [...points.flatMap((point) => [point.low, point.high]), ...limits.map((limit) => limit.y)];
  const y = scaleOf({ values: heights, log: chart.y.log, from: BOTTOM, to: TOP });
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${
      escape(chart.title)
    }">`,
    `<style>${styles(chart.series.length + 1)}</style>`,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}" rx="8"/>`,
    text("title", LEFT, 28, chart.title),
    text("faint", LEFT, 48, chart.subtitle),
    ...axes(chart, x, y),
    ...limits.map((limit) => limitLine(limit.name, place(y.at(limit.y)))),
    ...chart.series.flatMap((series, i) => line(series, lookOf(chart, i), x, y)),
    ...chart.series.flatMap((series, i) => legendEntry(series.name, lookOf(chart, i), i)),
    "</svg>",
  ];
  return parts.join("\n") + "\n";
}

/** Colour and marker: grey circles belong to the peer, and a line looks the same in pictures without it. */
function lookOf(chart: Chart, row: number): number {
  return chart.series[0]?.name.startsWith(PEER) ? row : row + 1;
}

function styles(count: number): string {
  const colours = (palette: readonly string[]) =>
    Array.from({ length: count }, (_, i) => `.s${i}{--c:${palette[i % palette.length]}}`).join("");
  return `svg{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;--page:#fff;--ink:#1f2328;--faint:#59636e;--grid:#d9dee4}
${colours(LIGHT)}
@media(prefers-color-scheme:dark){svg{--page:#0d1117;--ink:#f0f3f6;--faint:#a2abb5;--grid:#323a44}${colours(DARK)}}
.page{fill:var(--page)}text{fill:var(--ink)}.title{font-size:16px;font-weight:600}.faint,.tick{fill:var(--faint)}
.tick{font-size:12px}.middle{text-anchor:middle}.end{text-anchor:end}.grid{stroke:var(--grid);stroke-width:1}
.note{paint-order:stroke;stroke:var(--page);stroke-width:5px}
.limit{stroke:var(--ink);stroke-width:1.2;stroke-dasharray:2 4}
.line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}.bar{stroke:var(--c);stroke-width:1.2;opacity:.55}
.mark{fill:var(--c);stroke:var(--page);stroke-width:1}`;
}

function axes(chart: Chart, x: Scale, y: Scale): string[] {
  const rows = y.ticks.flatMap((tick) => {
    const at = place(y.at(tick));
    return [
      `<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${at}" y2="${at}"/>`,
      text("tick end", LEFT - 9, at + 4, tickText(tick)),
    ];
  });
  const columns = x.ticks.flatMap((tick) => {
    const at = place(x.at(tick));
    return [
      `<line class="grid" x1="${at}" x2="${at}" y1="${BOTTOM}" y2="${BOTTOM + 5}"/>`,
      text("tick middle", at, BOTTOM + 21, tickText(tick)),
    ];
  });
  const middle = (TOP + BOTTOM) / 2;
  const turned = `<text class="middle" transform="translate(20 ${middle}) rotate(-90)">${escape(chart.y.title)}</text>`;
  return [...rows, ...columns, text("middle", (LEFT + RIGHT) / 2, BOTTOM + 46, chart.x.title), turned];
}

function line(series: Series, index: number, x: Scale, y: Scale): string[] {
  const at = (point: Point) => [place(x.at(point.x)), place(y.at(point.y))] as const;
  const path = series.points.map((point) => at(point).join(" ")).join("L");
  const bars = series.points.filter((point) => point.low !== point.high).map((point) => {
    const [left] = at(point);
    return `<line class="bar" x1="${left}" x2="${left}" y1="${place(y.at(point.low))}" y2="${
      place(y.at(point.high))
    }"/>`;
  });
  const marks = series.points.map((point) => marker(index, ...at(point)));
  return [`<g class="s${index}">`, `<path class="line" d="M${path}"/>`, ...bars, ...marks, "</g>"];
}

function legendEntry(name: string, index: number, row: number): string[] {
  const y = TOP + 8 + row * LEGEND_STEP;
  return [
    `<g class="s${index}"><path class="line" d="M${LEGEND_LEFT} ${y}h26"/>${marker(index, LEGEND_LEFT + 13, y)}</g>`,
    text("", LEGEND_LEFT + 34, y + 4, name),
  ];
}

function limitLine(name: string, at: number): string {
  return `<line class="limit" x1="${LEFT}" x2="${RIGHT}" y1="${at}" y2="${at}"/>${
    text("tick note", LEFT + 8, at - 6, name)
  }`;
}

function marker(index: number, x: number, y: number): string {
  return MARKERS[index % MARKERS.length]!(x, y).replace("<", '<g class="mark"><').concat("</g>");
}

function text(classes: string, x: number, y: number, content: string): string {
  return `<text${classes === "" ? "" : ` class="${classes}"`} x="${x}" y="${y}">${escape(content)}</text>`;
}

/** A tenth of a pixel is enough. */
function place(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
