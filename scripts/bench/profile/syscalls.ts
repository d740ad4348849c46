/**
 * System calls of a process while it works, counted by `strace`.
 *
 * @module
 */
import type { Workplace } from "../bench.ts";

/** Calls by name, most frequent first. */
export type CallCounts = readonly { readonly name: string; readonly calls: number }[];

const ATTACH_MS = 5000;

/** Counts the calls of these processes, all threads, while `work` runs; one result per process. */
export async function countCalls(
  place: Workplace,
  pids: readonly number[],
  work: () => Promise<void>,
): Promise<CallCounts[]> {
  const tracers = pids.map((pid) => {
    const file = `${place.folder}/strace-${pid}.txt`;
    return { file, running: place.processes.start("strace", ["strace", "-f", "-c", "-p", String(pid), "-o", file]) };
  });
  await Promise.all(tracers.map(({ running }) => running.printed("attached", ATTACH_MS)));
  await work();
  return await Promise.all(tracers.map(async ({ file, running }) => {
    Deno.kill(running.pid, "SIGINT");
    await running.exited;
    return readSummary(await Deno.readTextFile(file));
  }));
}

/** Reads the table of `strace -c`. */
export function readSummary(text: string): CallCounts {
  const counts: { name: string; calls: number }[] = [];
  for (const line of text.split("\n")) {
    const fields = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?([a-z_]\w*)$/.exec(line);
    if (fields !== null && fields[2] !== "total") counts.push({ name: fields[2]!, calls: Number(fields[1]) });
  }
  return counts.sort((a, b) => b.calls - a.calls);
}
