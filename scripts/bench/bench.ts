/**
 * What everything of one run shares.
 *
 * @module
 */
import { type EndRuntime, resolveEnds, type RuntimeKind } from "./ends.ts";
import type { BenchOptions, FigureId } from "./options.ts";
import { Processes } from "./processes.ts";
import type { Row } from "./rows.ts";

/** A folder and processes, and both are gone at the end. */
export interface Workplace {
  readonly options: BenchOptions;
  /** Root of the repository. */
  readonly root: string;
  readonly processes: Processes;
  /** For configuration files. */
  readonly folder: string;
  /** Which source is measured. */
  readonly commit: string;
  /** What else the machine did before. */
  readonly loadAtStart: number;
  /** A word about what happens now, on standard error. */
  say(text: string): void;
}

/** The loads on one runtime. */
export interface Bench extends Workplace {
  /** The runtime of the ends, and a generated key. */
  readonly ends: EndRuntime;
  /** Prints the row and keeps it for the table. */
  emit(row: Row): void;
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

/** Runs `work` in a workplace that is cleared in any case, an interrupt included. */
export async function inWorkplace<T>(
  options: BenchOptions,
  root: string,
  work: (place: Workplace) => Promise<T>,
): Promise<T> {
  const processes = new Processes();
  const folder = await Deno.makeTempDir({ prefix: "nodepass-bench-" });
  const clear = async () => {
    await processes.close();
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  };
  const interrupt = () => void clear().then(() => Deno.exit(130));
  Deno.addSignalListener("SIGINT", interrupt);
  Deno.addSignalListener("SIGTERM", interrupt);
  try {
    const commit = await commitOf(processes, root);
    const [loadAtStart = NaN] = Deno.loadavg();
    const say = (text: string) => console.error(`  ${text}`);
    return await work({ options, root, processes, folder, commit, loadAtStart, say });
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
    Deno.removeSignalListener("SIGTERM", interrupt);
    await clear();
  }
}

/** The loads on this runtime; rows go to `emit`. */
export async function benchOn(
  place: Workplace,
  runtime: RuntimeKind,
  emit: (row: Row, ends: EndRuntime) => void,
): Promise<Bench> {
  const ends = await resolveEnds(place.processes, runtime, place.options.cli);
  return { ...place, ends, emit: (row) => emit(row, ends) };
}

/** Measures all in turn, `reps` times. */
export async function alternate(bench: Workplace, contenders: readonly Contender[]): Promise<void> {
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
export function wanted(bench: Workplace, ...ids: FigureId[]): boolean {
  return ids.some((id) => bench.options.only.has(id));
}

async function commitOf(processes: Processes, root: string): Promise<string> {
  try {
    return (await processes.run(["git", "-C", root, "rev-parse", "--short=12", "HEAD"], 5000)).trim();
  } catch {
    return "unknown";
  }
}
