/**
 * Rates as a small picture.
 *
 * @module
 */
import { s, setAttribute } from "./dom.ts";
import { HISTORY, type Rate } from "./rates.ts";

/** Below this many bytes per second at its top, a picture does not grow: noise stays small. */
const LEAST_TOP = 2000;

/** A picture of the last samples, the newest at the right. */
export class Sparkline {
  readonly element: SVGSVGElement;
  /** Bytes per second at the upper edge. */
  top: number = LEAST_TOP;
  readonly #width: number;
  readonly #height: number;
  readonly #area: SVGPathElement;
  readonly #received: SVGPathElement;
  readonly #sent: SVGPathElement;

  /**
   * A picture.
   *
   * @param width in units of the picture
   * @param height in units of the picture
   */
  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
    this.#area = s("path", { "class": "spark-area" });
    this.#received = s("path", { "class": "spark-rx" });
    this.#sent = s("path", { "class": "spark-tx" });
    this.element = s(
      "svg",
      { "class": "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      s("path", { "class": "spark-base", d: `M0 ${height - 0.5}H${width}` }),
      this.#area,
      this.#received,
      this.#sent,
    );
  }

  /** Draws samples, the oldest first. */
  draw(samples: readonly Rate[]): void {
    this.top = samples.reduce((top, { rx, tx }) => Math.max(top, rx, tx), LEAST_TOP);
    const received = this.#line(samples, "rx");
    const first = this.#x(samples.length, 0).toFixed(1);
    const closed = samples.length > 1 ? `${received}V${this.#height}H${first}Z` : "";
    setAttribute(this.#area, "d", closed);
    setAttribute(this.#received, "d", received);
    setAttribute(this.#sent, "d", this.#line(samples, "tx"));
  }

  #line(samples: readonly Rate[], member: "rx" | "tx"): string {
    if (samples.length < 2) return "";
    const points = samples.map((sample, index) => {
      const y = this.#height - 1 - (sample[member] / this.top) * (this.#height - 3);
      return `${this.#x(samples.length, index).toFixed(1)} ${y.toFixed(1)}`;
    });
    return `M${points.join("L")}`;
  }

  #x(count: number, index: number): number {
    return this.#width - (count - 1 - index) * (this.#width / (HISTORY - 1));
  }
}
