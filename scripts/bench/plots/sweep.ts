/**
 * What is measured for a picture: some entries at each of some places on the x axis.
 *
 * @module
 */
import { alternate, type Bench, type Workplace } from "../bench.ts";
import { type Entry, startSingle, startTunnel } from "../ends.ts";
import { type Chart, pointOf, type Series } from "./chart.ts";

/** Makes one or more pictures, by file name. */
export interface Sweep {
  readonly name: string;
  /** Programs that must be there, by Debian package. */
  readonly programs: readonly string[];
  measure(place: Workplace, benches: readonly Bench[]): Promise<Readonly<Record<string, Chart>>>;
}

/** An entry and what its line is called. */
export interface Line {
  readonly name: string;
  readonly bench: Bench;
  readonly entry: Entry;
}

/** A tunnel per tls mode and a single end on each runtime; `backend` gives each a port of its own or the same one. */
export async function startLines(benches: readonly Bench[], backend: () => Promise<number>): Promise<Line[]> {
  const lines: Line[] = [];
  for (const bench of benches) {
    const { processes, ends, options } = bench;
    for (const tls of options.tls) {
      const entry = await startTunnel(processes, ends, { tls, backend: await backend() });
      lines.push({ name: lineName(bench, `tls ${tls}`), bench, entry });
    }
    const entry = await startSingle(processes, ends, await backend());
    lines.push({ name: lineName(bench, "single-end"), bench, entry });
  }
  return lines;
}

/** `Deno, tls 0`. */
export function lineName(bench: Bench, what: string): string {
  return `${bench.ends.kind === "deno" ? "Deno" : "Node"}, ${what}`;
}

/** Several values at each x, line by line in turn; one list of series per value. A load that fails leaves a gap. */
export async function sweep<K extends string>(
  lines: readonly Line[],
  xs: readonly number[],
  keys: readonly K[],
  measure: (line: Line, x: number) => Promise<Readonly<Record<K, number>>>,
): Promise<Record<K, Series[]>> {
  const points = new Map(lines.map((line) => [line, keys.map(() => [] as Series["points"][number][])]));
  for (const x of xs) {
    const samples = new Map(lines.map((line) => [line, keys.map(() => [] as number[])]));
    const contenders = lines.map((line) => ({
      name: `${line.name} at ${x}`,
      measure: async () => {
        try {
          const values = await measure(line, x);
          keys.forEach((key, i) => samples.get(line)![i]!.push(values[key]));
        } catch (error) {
          line.bench.say(`no point: ${(error as Error).message}`);
        }
      },
    }));
    await alternate(lines[0]!.bench, contenders);
    for (const line of lines) {
      samples.get(line)!.forEach((values, i) => values.length > 0 && points.get(line)![i]!.push(pointOf(x, values)));
    }
  }
  const series = keys.map((key, i) => [key, lines.map((line) => ({ name: line.name, points: points.get(line)![i]! }))]);
  return Object.fromEntries(series) as Record<K, Series[]>;
}

/** What stands under the title of each picture. */
export function subtitleOf(place: Workplace, benches: readonly Bench[]): string {
  const runtimes = benches.map(({ ends }) => ends.name).join(", ");
  const load = `load average ${place.loadAtStart.toFixed(1)} at the start`;
  return `${runtimes}, ${place.commit}, ${navigator.hardwareConcurrency} cores, ${load}`;
}
