/**
 * From values to places on an axis, and which values get a mark.
 *
 * @module
 */

/** An axis in pixels. */
export interface Scale {
  readonly ticks: readonly number[];
  /** The place of a value. */
  at(value: number): number;
}

/** What an axis shows and where. */
export interface ScaleOptions {
  readonly values: readonly number[];
  readonly log: boolean;
  /** Pixels of the lowest and the highest value. */
  readonly from: number;
  readonly to: number;
}

const WANTED_TICKS = 6;
const STEPS = [1, 2, 2.5, 5, 10] as const;

/** The scale for these values. */
export function scaleOf(options: ScaleOptions): Scale {
  return options.log ? logarithmic(options) : linear(options);
}

function linear({ values, from, to }: ScaleOptions): Scale {
  const highest = Math.max(...values, 0) || 1;
  const rough = highest / WANTED_TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * STEPS.find((factor) => factor * power >= rough)!;
  const count = Math.ceil(highest / step - 1e-9);
  const ticks = Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
  return { ticks, at: (value) => from + (to - from) * value / (count * step) };
}

function logarithmic({ values, from, to }: ScaleOptions): Scale {
  const positive = values.filter((value) => value > 0);
  const range = [Math.min(...positive), Math.max(...positive)] as const;
  const ticks = isPowersOfTwo(positive) ? powersOfTwo(...range) : decades(...range);
  const [bottom, top] = [Math.log10(ticks[0]!), Math.log10(ticks.at(-1)!)];
  const at = (value: number) =>
    from + (to - from) * (Math.log10(Math.max(value, ticks[0]!)) - bottom) / (top - bottom || 1);
  return { ticks, at };
}

function isPowersOfTwo(values: readonly number[]): boolean {
  return values.every((value) => Number.isInteger(Math.log2(value)));
}

function powersOfTwo(lowest: number, highest: number): number[] {
  const ticks: number[] = [];
  for (let value = lowest; value <= highest; value *= 2) ticks.push(value);
  return ticks;
}

/** 1, 2 and 5 of each decade, over many decades 1 alone; the values lie between the first and the last. */
function decades(lowest: number, highest: number): number[] {
  const factors = highest / lowest > 1e4 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(lowest)); (ticks.at(-1) ?? 0) < highest; power++) {
    for (const factor of factors) {
      const value = Number((factor * 10 ** power).toPrecision(3));
      if (value <= lowest) ticks.length = 0;
      if ((ticks.at(-1) ?? 0) < highest) ticks.push(value);
    }
  }
  return ticks;
}

/** A value beside its mark: 1,000 and above with commas, from 100,000 in thousands. */
export function tickText(value: number): string {
  if (value >= 100_000) return `${value / 1000}k`;
  return value.toLocaleString("en-US", { maximumFractionDigits: 6 });
}
