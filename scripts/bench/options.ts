/**
 * Command line of the benchmarks.
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { RuntimeKind } from "./ends.ts";

/** Figures that `--only` accepts. */
export const FIGURE_IDS = ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P11", "P12", "P13"] as const;
export type FigureId = typeof FIGURE_IDS[number];

/** What is done with the loads: a table, a comparison with the stored table, that table, plots, or profiles. */
export type Mode = "table" | "check" | "store" | "plots" | "draw" | "profile";

/** What the command line asks for. */
export interface BenchOptions {
  readonly mode: Mode;
  readonly reps: number;
  /** Length of one load. */
  readonly seconds: number;
  readonly only: ReadonlySet<FigureId>;
  readonly runtimes: readonly RuntimeKind[];
  readonly tls: readonly (0 | 1)[];
  /** Another dialect that P1 measures beside the usual one; null: none. */
  readonly wire: "1.14" | null;
  /** Plots by name; empty: all. */
  readonly plots: readonly string[];
  /** The command that is measured: a script for the runtime. */
  readonly cli: string;
}

export const USAGE: string = `deno task bench [options]
  --reps N                 repetitions of each load, alternating with HAProxy (5; plots and profiles 3)
  --seconds N              length of one load (4; plots and profiles 2)
  --quick                  2 repetitions of 2 seconds
  --only P1,P4             these figures alone: ${FIGURE_IDS.join(" ")}
  --runtime deno|node|both what the two ends run on (deno)
  --tls 0,1                tls modes of the tunnel (0,1)
  --wire 1.14              P1 also measures this wire, against the usual one
  --cli PATH               another build of the command (cli.ts)
Instead of a table:
  --check                  compares the ratios with docs/benchmarks/baseline.json; exit code 1 names what became worse
  --store                  writes that file
  --plots [NAME,...]       measures and draws the plots of docs/benchmarks
  --draw                   draws them from the stored points
  --profile                writes docs/benchmarks/profiles.md`;

/** Reads the arguments; null when help is asked for. */
export function readOptions(args: readonly string[], root: string): BenchOptions | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      reps: { type: "string" },
      seconds: { type: "string" },
      quick: { type: "boolean", default: false },
      only: { type: "string", default: FIGURE_IDS.join(",") },
      runtime: { type: "string", default: "deno" },
      tls: { type: "string", default: "0,1" },
      wire: { type: "string" },
      cli: { type: "string", default: `${root}/cli.ts` },
      check: { type: "boolean", default: false },
      store: { type: "boolean", default: false },
      plots: { type: "boolean", default: false },
      draw: { type: "boolean", default: false },
      profile: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  const modes = (["check", "store", "plots", "draw", "profile"] as const).filter((name) => values[name]);
  if (modes.length > 1) throw new Error(`Options --${modes.join(" and --")} exclude each other`);
  const mode = modes[0] ?? "table";
  if (positionals.length > 0 && mode !== "plots") throw new Error(`Unknown argument "${positionals[0]}"`);
  const short = values.quick || mode === "plots" || mode === "profile";
  const only = values.only.split(",").map((id) => oneOf("--only", id.trim(), FIGURE_IDS));
  const tls = values.tls.split(",").map((value) => oneOf("--tls", value.trim(), ["0", "1"] as const));
  const runtime = oneOf("--runtime", values.runtime, ["deno", "node", "both"] as const);
  return {
    mode,
    reps: positive("--reps", values.reps ?? (values.quick ? "2" : short ? "3" : "5")),
    seconds: positive("--seconds", values.seconds ?? (short ? "2" : "4")),
    only: new Set(only),
    runtimes: runtime === "both" ? ["deno", "node"] : [runtime],
    tls: tls.map((value) => value === "0" ? 0 : 1),
    wire: values.wire === undefined ? null : oneOf("--wire", values.wire, ["1.14"] as const),
    plots: positionals.flatMap((text) => text.split(",")),
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
