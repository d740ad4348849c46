/**
 * The machine and all tunnels together, in a strip of numbers.
 *
 * @module
 */
import type { Info } from "./api.ts";
import { h, s, setAttribute, setText } from "./dom.ts";
import { formatBytes, formatRates, formatSpan, percent, plural } from "./format.ts";
import type { Totals } from "./model.ts";
import { RateHistory } from "./rates.ts";

/** One number with its name, a remark under it, and how full it is where it can be full. */
class Gauge {
  readonly element: HTMLElement;
  readonly #value: HTMLElement = h("span", { "class": "gauge-value" });
  readonly #note: HTMLElement = h("span", { "class": "gauge-note" });
  readonly #bar: SVGRectElement | null;

  constructor(name: string, options: { readonly bar?: boolean } = {}) {
    this.#bar = options.bar ? s("rect", { "class": "bar-fill", height: 4, rx: 2, width: 0 }) : null;
    this.element = h(
      "div",
      { "class": `gauge gauge-${name.toLowerCase()}` },
      h("span", { "class": "gauge-name" }, name),
      this.#value,
      this.#note,
      this.#bar === null ? null : s(
        "svg",
        { "class": "bar", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" },
        s("rect", { "class": "bar-ground", width: 100, height: 4, rx: 2 }),
        this.#bar,
      ),
    );
  }

  show(value: string, note: string, full = 0): void {
    setText(this.#value, value);
    setText(this.#note, note);
    if (this.#bar === null) return;
    setAttribute(this.#bar, "width", String(full));
    setAttribute(this.#bar, "data-level", full >= 90 ? "high" : "normal");
  }
}

/** The strip. */
export class GaugesView {
  readonly #traffic = new Gauge("Traffic");
  readonly #sessions = new Gauge("Sessions");
  readonly #cpu = new Gauge("CPU", { bar: true });
  readonly #memory = new Gauge("Memory", { bar: true });
  readonly #network = new Gauge("Network");
  readonly #disk = new Gauge("Disk");
  readonly #up = new Gauge("Up");
  readonly element: HTMLElement = h(
    "section",
    { "class": "gauges", "aria-label": "This machine" },
    this.#traffic.element,
    this.#sessions.element,
    this.#cpu.element,
    this.#memory.element,
    this.#network.element,
    this.#disk.element,
    this.#up.element,
  );
  readonly #networkRates = new RateHistory();
  readonly #diskRates = new RateHistory();

  /** Shows the sums of all tunnels. */
  showTotals({ rate, sessions, running }: Totals): void {
    this.#traffic.show(...formatRates(rate.rx, rate.tx));
    this.#sessions.show(String(sessions), `in ${plural(running, "tunnel")}`);
  }

  /** Shows a sample of the machine. */
  showInfo(info: Info): void {
    const now = performance.now();
    this.#networkRates.push(now, info.netrx, info.nettx);
    this.#diskRates.push(now, info.diskr, info.diskw);
    if (info.cpu < 0) this.#cpu.show("–", "not known here");
    else this.#cpu.show(`${info.cpu} %`, `${info.os} ${info.arch}`, info.cpu);
    const used = percent(info.mem_used, info.mem_total);
    const known = info.mem_total > 0;
    this.#memory.show(known ? formatBytes(info.mem_used) : "–", known ? `of ${formatBytes(info.mem_total)}` : "", used);
    const network = this.#networkRates.current;
    this.#network.show(...formatRates(network.rx, network.tx));
    const disk = this.#diskRates.current;
    this.#disk.show(...formatRates(disk.rx, disk.tx, ["read", "write"]));
    this.#up.show(formatSpan(info.uptime * 1000), `version ${info.impl_version ?? info.ver}`);
  }
}
