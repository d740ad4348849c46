/**
 * Which process made something, so that another one can tell later whether it still runs.
 *
 * @module
 */
import { readFile, readlink } from "node:fs/promises";
import process from "node:process";

/** A process among all that ever ran on this machine; "0" where the system does not say. */
export interface ProcessMark {
  readonly pid: string;
  /** When it started, in ticks since the machine did: numbers of processes come back, their start times do not. */
  readonly start: string;
  /** The namespace in which `pid` counts: each container has its own. */
  readonly space: string;
  /** This start of the machine. */
  readonly boot: string;
}

/** `unknown`: the process is out of sight, in another container or without permission to look. */
export type Sight = "alive" | "dead" | "unknown";

const UNKNOWN = "0";
/** Processes that ended and wait for their parent to notice. */
const ENDED_STATES: ReadonlySet<string> = new Set(["Z", "X", "x"]);

/** The mark of this process. */
export async function ownMark(): Promise<ProcessMark> {
  const [stat, space, boot] = await Promise.all([
    readFile("/proc/self/stat", "utf8").then(statOf, () => null),
    readlink("/proc/self/ns/pid").then((text) => /\d+/.exec(text)?.[0] ?? UNKNOWN, () => UNKNOWN),
    readFile("/proc/sys/kernel/random/boot_id", "utf8").then((text) => text.slice(0, 8), () => UNKNOWN),
  ]);
  return { pid: String(process.pid), start: stat?.start ?? UNKNOWN, space, boot };
}

/** Whether the process of `own` can tell at all whether the one of `mark` runs. */
export function canSee(own: ProcessMark, mark: ProcessMark): boolean {
  return [mark, own].every(({ start, space, boot }) => ![start, space, boot].includes(UNKNOWN)) &&
    mark.boot === own.boot && mark.space === own.space;
}

/** Whether the process of `mark` runs, as seen by the one of `own`. */
export async function sightOf(mark: ProcessMark, own: ProcessMark): Promise<Sight> {
  if (!canSee(own, mark)) return "unknown";
  try {
    const stat = statOf(await readFile(`/proc/${mark.pid}/stat`, "utf8"));
    return stat.start === mark.start && !ENDED_STATES.has(stat.state) ? "alive" : "dead";
  } catch (error) {
    const { code } = error as { code?: unknown };
    // It ended between opening and reading.
    return code === "ENOENT" || code === "ESRCH" ? "dead" : "unknown";
  }
}

/** State and start time out of `/proc/<pid>/stat`; the name before them may hold blanks and brackets. */
function statOf(text: string): { state: string; start: string } {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", start: fields[19] ?? UNKNOWN };
}
