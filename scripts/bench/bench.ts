/**
 * What every figure of one run shares.
 *
 * @module
 */
import type { EndRuntime } from "./ends.ts";
import type { BenchOptions, FigureId } from "./options.ts";
import type { Processes } from "./processes.ts";
import type { Row } from "./rows.ts";

/** One run of the benchmarks. */
export interface Bench {
  readonly options: BenchOptions;
  readonly processes: Processes;
  /** The runtime of the ends, and a generated key. */
  readonly ends: EndRuntime;
  /** For configuration files; removed at the end. */
  readonly folder: string;
  /** Prints the row and keeps it for the table. */
  emit(row: Row): void;
  /** A word about what happens now, on standard error. */
  say(text: string): void;
}

/** A set of figures that are measured together. */
export interface Figures {
  readonly ids: readonly FigureId[];
  /** Programs that must be there, by Debian package. */
  readonly programs: readonly string[];
  run(bench: Bench): Promise<void>;
}

/** One thing that is measured in turn with the others. */
export interface Contender {
  readonly name: string;
  measure(): Promise<void>;
}

/** Measures all in turn, `reps` times. */
export async function alternate(bench: Bench, contenders: readonly Contender[]): Promise<void> {
  for (let rep = 0; rep < bench.options.reps; rep++) {
    // The order changes, so that nobody always runs behind the same neighbour.
    const order = rep % 2 === 0 ? contenders : [...contenders].reverse();
    for (const contender of order) {
      bench.say(`${contender.name} ${rep + 1}/${bench.options.reps}`);
      await contender.measure();
    }
  }
}

/** Whether one of these figures was asked for. */
export function wanted(bench: Bench, ...ids: FigureId[]): boolean {
  return ids.some((id) => bench.options.only.has(id));
}
