/**
 * Reads what `--cpu-prof` writes.
 *
 * @module
 */

/** The parts of a profile that are used here; times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** A function and its share of the time that was not idle. */
export interface FunctionShare {
  readonly name: string;
  /** File and line; "" for what is not a file. */
  readonly place: string;
  readonly share: number;
}

const IDLE = "(idle)";
/** What stands for time outside functions. */
const NAMES: Readonly<Record<string, string>> = {
  "(program)": "native code and system calls",
  "(garbage collector)": "garbage collector",
  "": "(anonymous)",
};

/** Functions by their own time, largest first, of the last `lastMs` of the profile. */
export function topFunctions(profile: CpuProfile, lastMs: number, count: number): FunctionShare[] {
  const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const totals = new Map<string, { name: string; place: string; micros: number }>();
  let busy = 0;
  let age = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0);
  profile.samples.forEach((id, i) => {
    // A sample stands for the time until the next one.
    const micros = profile.timeDeltas[i + 1] ?? 0;
    age -= profile.timeDeltas[i]!;
    const frame = frames.get(id);
    if (frame === undefined || age > lastMs * 1000 || frame.functionName === IDLE) return;
    const name = NAMES[frame.functionName] ?? frame.functionName;
    const place = frame.url === "" ? "" : `${shortPath(frame.url)}:${frame.lineNumber + 1}`;
    const total = totals.get(`${name} ${place}`) ?? { name, place, micros: 0 };
    total.micros += micros;
    busy += micros;
    totals.set(`${name} ${place}`, total);
  });
  return [...totals.values()].sort((a, b) => b.micros - a.micros).slice(0, count)
    .map(({ name, place, micros }) => ({ name, place, share: micros / busy }));
}

/** From `src/` or the package on; inner modules of a runtime stay as they are. */
function shortPath(url: string): string {
  return url.replace(/^.*\/(?=src\/[^/]|cli\.ts)/, "").replace(/^.*\/node_modules\//, "").replace(/\?.*$/, "");
}
