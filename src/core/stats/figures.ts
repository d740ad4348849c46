/**
 * The figures of a node that its history keeps, as numbers in a fixed order.
 *
 * @module
 */
import type { NodeStats } from "../contract/types.ts";

/** What stands for a time in which several samples came. */
type Kind = "average" | "max" | "last";

/** Name of a figure. */
export type FigureName =
  | "cpuPercent"
  | "cpuPercentMax"
  | "cpuCores"
  | "ramUsed"
  | "ramTotal"
  | "diskUsed"
  | "diskTotal"
  | "netRxPerSec"
  | "netTxPerSec"
  | "netRxTotal"
  | "netTxTotal"
  | "uptimeSeconds"
  | "xrayRunning"
  | "mtprotoRunning"
  | "connections"
  | "activeUsers";

/** Each figure, and what stands for a longer time. */
const COLUMNS: readonly (readonly [FigureName, Kind])[] = [
  ["cpuPercent", "average"],
  ["cpuPercentMax", "max"],
  ["cpuCores", "last"],
  ["ramUsed", "average"],
  ["ramTotal", "last"],
  ["diskUsed", "average"],
  ["diskTotal", "last"],
  ["netRxPerSec", "average"],
  ["netTxPerSec", "average"],
  ["netRxTotal", "last"],
  ["netTxTotal", "last"],
  ["uptimeSeconds", "last"],
  ["xrayRunning", "average"],
  ["mtprotoRunning", "average"],
  ["connections", "average"],
  ["activeUsers", "average"],
];

/** Figures by name; what the node does not run is absent. */
export type Figures = { readonly [K in FigureName]?: number };

/** How many figures there are. */
export const FIGURES: number = COLUMNS.length;

/** The figures of a snapshot; NaN where there is none. */
export function figuresOf({ system, xray, mtproto }: NodeStats): readonly number[] {
  const inbounds = mtproto === undefined ? null : Object.values(mtproto);
  const sum = (pick: (each: { running: boolean; connectionsCurrent: number; activeUsers: number }) => number): number =>
    inbounds === null ? NaN : inbounds.reduce((all, each) => all + pick(each), 0);
  const named: Figures = {
    ...system,
    cpuPercentMax: system?.cpuPercent ?? NaN,
    xrayRunning: xray === undefined ? NaN : Number(xray.running),
    mtprotoRunning: inbounds === null || inbounds.length === 0
      ? NaN
      : sum(({ running }) => Number(running)) / inbounds.length,
    connections: sum(({ connectionsCurrent }) => connectionsCurrent),
    activeUsers: sum(({ activeUsers }) => activeUsers),
  };
  return listed(named);
}

/** Figures as a list; NaN where there is none. */
export function listed(figures: Figures): readonly number[] {
  // Nodes report all the time: no callback for each figure, and no typed array, whose bytes V8 keeps outside of its heap.
  const list = new Array<number>(FIGURES);
  for (let index = 0; index < FIGURES; index++) {
    const [name] = COLUMNS[index]!;
    const value = figures[name];
    list[index] = typeof value === "number" ? value : NaN;
  }
  return list;
}

/** Figures by name: whole numbers, but for shares and percents. */
export function named(list: ArrayLike<number>): Figures {
  const figures: Partial<Record<FigureName, number>> = {};
  COLUMNS.forEach(([name], index) => {
    const value = list[index] ?? NaN;
    if (Number.isNaN(value)) return;
    figures[name] = /Percent|Running/.test(name) ? Math.round(value * 100) / 100 : Math.round(value);
  });
  return figures;
}

/** Samples of some time, made into one. */
export class Merged {
  /** How many came. */
  samples: number = 0;
  readonly #sums = new Float64Array(FIGURES);
  readonly #weights = new Float64Array(FIGURES);

  /** Adds figures that stand for `samples`. They come in the order of their times. */
  add(list: ArrayLike<number>, samples = 1): void {
    this.samples += samples;
    for (let index = 0; index < FIGURES; index++) {
      const value = list[index] ?? NaN;
      if (Number.isNaN(value)) continue;
      const [, kind] = COLUMNS[index]!;
      const before = this.#weights[index] as number;
      if (kind === "average") {
        this.#sums[index] = (this.#sums[index] as number) + value * samples;
        this.#weights[index] = before + samples;
        continue;
      }
      this.#sums[index] = kind === "max" && before > 0 ? Math.max(this.#sums[index] as number, value) : value;
      this.#weights[index] = 1;
    }
  }

  /** One for all of them. */
  get figures(): Figures {
    return named(this.#sums.map((sum, index) => sum / (this.#weights[index] as number)));
  }
}
