/**
 * Command line of the benchmarks.
 *
 * @module
 */
import { parseArgs } from "node:util";

/** Figures that `--only` accepts. */
export const FIGURE_IDS = ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P11", "P12"] as const;
export type FigureId = typeof FIGURE_IDS[number];

/** What the command line asks for. */
export interface BenchOptions {
  readonly reps: number;
  /** Length of one load. */
  readonly seconds: number;
  readonly only: ReadonlySet<FigureId>;
  readonly runtime: "deno" | "node";
  readonly tls: readonly (0 | 1)[];
  /** The command that is measured: a script for the runtime. */
  readonly cli: string;
}

export const USAGE: string = `deno task bench [options]
  --reps N            repetitions of each load, alternating with HAProxy (5)
  --seconds N         length of one load (4)
  --quick             2 repetitions of 2 seconds
  --only P1,P4        these figures alone: ${FIGURE_IDS.join(" ")}
  --runtime deno|node what the two ends run on (deno)
  --tls 0,1           tls modes of the tunnel (0,1)
  --cli PATH          another build of the command (cli.ts)`;

/** Reads the arguments; null when help is asked for. */
export function readOptions(args: readonly string[], root: string): BenchOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      reps: { type: "string" },
      seconds: { type: "string" },
      quick: { type: "boolean", default: false },
      only: { type: "string", default: FIGURE_IDS.join(",") },
      runtime: { type: "string", default: "deno" },
      tls: { type: "string", default: "0,1" },
      cli: { type: "string", default: `${root}/cli.ts` },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  const only = values.only.split(",").map((id) => oneOf("--only", id.trim(), FIGURE_IDS));
  const tls = values.tls.split(",").map((mode) => oneOf("--tls", mode.trim(), ["0", "1"] as const));
  return {
    reps: positive("--reps", values.reps ?? (values.quick ? "2" : "5")),
    seconds: positive("--seconds", values.seconds ?? (values.quick ? "2" : "4")),
    only: new Set(only),
    runtime: oneOf("--runtime", values.runtime, ["deno", "node"] as const),
    tls: tls.map((mode) => mode === "0" ? 0 : 1),
    cli: values.cli,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new Error(`Option ${name} is "${text}": expected a number > 0`);
  return value;
}

function oneOf<T extends string>(name: string, text: string, accepted: readonly T[]): T {
  const found = accepted.find((value) => value === text);
  if (found === undefined) throw new Error(`Option ${name} is "${text}": expected one of ${accepted.join(" ")}`);
  return found;
}
