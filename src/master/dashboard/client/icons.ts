/**
 * Small pictures, drawn as lines on a grid of 16.
 *
 * @module
 */
import { s } from "./dom.ts";

const shapes = {
  play: "M5 3.2v9.6L12.5 8z",
  stop: "M4 4h8v8H4z",
  restart: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
  reset: "M2.5 12.5h11M4 9.5 8.5 4.8l3.2 3.4-2.9 3H5.5z",
  plus: "M8 3v10M3 8h10",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3 13.5 13.5",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M6 6h7v7H6zM10 6V3H3v7h3",
  trash: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5M6.8 7v3.5M9.2 7v3.5",
  edit: "M3 13l.7-2.9L11 2.8 13.2 5l-7.3 7.3zM9.6 4.2l2.2 2.2",
  key: "M10.5 9.5a3.5 3.5 0 1 0-3.3-2.3L2.5 12v1.5H5V12h1.5v-1.5L8 9.2M11.2 5.3v.1",
  leave: "M6.5 3H3v10h3.5M6.5 8H13M10.5 5.5 13 8l-2.5 2.5",
  book: "M8 4.2C6.5 3.2 4.5 3 2.5 3.2v9.3c2-.2 4 0 5.5 1 1.5-1 3.5-1.2 5.5-1V3.2c-2-.2-4 0-5.5 1zM8 4.2v9.3",
  down: "M8 3v10M4 9l4 4 4-4",
  up: "M8 13V3M4 7l4-4 4 4",
  check: "M3 8.5l3.2 3.2L13 5",
  alert: "M8 2.5 14 13H2zM8 6.5v3M8 11.3v.1",
  eye: "M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8zM8 9.7a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4z",
  sun:
    "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1",
  moon: "M13 9.7A5.5 5.5 0 0 1 6.3 3 5.5 5.5 0 1 0 13 9.7z",
  auto: "M8 13.5a5.5 5.5 0 1 0 0-11zM8 2.5a5.5 5.5 0 0 0 0 11",
  spark: "M8 2v3M8 11v3M2 8h3M11 8h3M4 4l1.8 1.8M10.2 10.2 12 12M4 12l1.8-1.8M10.2 5.8 12 4",
  dots: "M3.5 8v.1M8 8v.1M12.5 8v.1",
  arrow: "M2.5 8h11M10 4.5 13.5 8 10 11.5",
} as const;

/** A picture without a meaning of its own: text beside it, or a label on its button, says what it is. */
export function icon(name: keyof typeof shapes): SVGSVGElement {
  return s(
    "svg",
    { "class": `icon icon-${name}`, viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" },
    s("path", { d: shapes[name] }),
  );
}

/** The mark of the product: two ends and what joins them. */
export function mark(): SVGSVGElement {
  return s(
    "svg",
    { "class": "mark", viewBox: "0 0 32 32", "aria-hidden": "true", focusable: "false" },
    s("rect", { "class": "mark-ground", width: 32, height: 32, rx: 8 }),
    s("path", { "class": "mark-line", d: "M10 22V10l12 12V10" }),
    s("circle", { "class": "mark-end", cx: 10, cy: 22, r: 2.6 }),
    s("circle", { "class": "mark-end", cx: 22, cy: 10, r: 2.6 }),
  );
}
