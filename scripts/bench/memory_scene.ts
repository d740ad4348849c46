/**
 * A tunnel that holds idle sessions.
 *
 * @module
 */
import { loadCommand } from "./backends.ts";
import type { Bench } from "./bench.ts";
import type { Entry } from "./ends.ts";
import { delay, residentMegabytes } from "./proc_files.ts";
import type { Running } from "./processes.ts";

const SETTLE_MS = 3000;
const OPEN_MS = 60_000;
/** Descriptors of an end that are not a session's. */
const OTHER_DESCRIPTORS = 300;
const DESCRIPTORS_PER_SESSION = 2;

/** Resident memory of both ends. */
export interface Resident {
  readonly server: number;
  readonly client: number;
}

/** Resident memory once the ends have settled. */
export async function settledMemory(entry: Entry): Promise<Resident> {
  await delay(SETTLE_MS);
  const [server, client] = entry.pids.map(residentMegabytes) as [number, number];
  return { server, client };
}

/** Opens sessions that stay idle; stopping the process ends them. */
export async function openSessions(bench: Bench, entry: Entry, count: number): Promise<Running> {
  const load = bench.processes.start("idle sessions", loadCommand("idle_sessions", entry.port, count));
  await load.printed("ready", OPEN_MS);
  return load;
}

/** How many sessions an end can hold under this machine's limit of descriptors. */
export function mostSessions(): number {
  const limits = Deno.readTextFileSync("/proc/self/limits");
  const hard = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(limits)?.[1];
  const descriptors = hard === undefined || hard === "unlimited" ? Infinity : Number(hard);
  return Math.floor((descriptors - OTHER_DESCRIPTORS) / DESCRIPTORS_PER_SESSION);
}
