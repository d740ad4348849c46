/**
 * Bulk bytes by iperf3.
 *
 * @module
 */
import type { Bench } from "./bench.ts";
import type { Entry } from "./ends.ts";
import { cpuClock, cpuSecondsBetween, delay } from "./proc_files.ts";

const GIB = 2 ** 30;
/** iperf3 takes no more in one direction; twice as many are half of them each way. */
const MOST_ONE_WAY = 128;
/** The server is busy for a moment after a load. */
const ATTEMPTS = 10;
const BUSY_MS = 300;

/** What one load came to. */
export interface BulkSample {
  readonly gbits: number;
  /** Of the processes of the entry alone. */
  readonly cpuPerGib: number;
  readonly bytes: number;
}

/** Sends through the entry for some seconds. */
export async function iperf(bench: Bench, entry: Entry, streams: number, seconds: number): Promise<BulkSample> {
  const many = streams > MOST_ONE_WAY;
  const parallel = many ? [streams / 2, "--bidir"] : [streams];
  const args = ["-c", "127.0.0.1", "-p", entry.port, "-t", seconds, "-J", "-P", ...parallel].map(String);
  let problem: string | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = cpuClock(entry.pids);
    const text = await bench.processes.run(["iperf3", ...args], seconds * 1000 + 15_000);
    const cpu = cpuSecondsBetween(before, cpuClock(entry.pids));
    const { end, error } = JSON.parse(text) as IperfReport;
    if (end.sum_received !== undefined) {
      const sums = [end.sum_received, ...(end.sum_received_bidir_reverse ? [end.sum_received_bidir_reverse] : [])];
      const bytes = sums.reduce((total, sum) => total + sum.bytes, 0);
      const bits = sums.reduce((total, sum) => total + sum.bits_per_second, 0);
      return { gbits: bits / 1e9, cpuPerGib: cpu / (bytes / GIB), bytes };
    }
    problem = error ?? "no result";
    if (!problem.includes("busy")) break;
    await delay(BUSY_MS);
  }
  throw new Error(`iperf3 through ${entry.name}: ${problem}`);
}

interface Sum {
  readonly bytes: number;
  readonly bits_per_second: number;
}

interface IperfReport {
  readonly end: { readonly sum_received?: Sum; readonly sum_received_bidir_reverse?: Sum };
  readonly error?: string;
}
