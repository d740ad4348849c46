/**
 * Bulk bytes by iperf3.
 *
 * @module
 */
import type { Bench } from "./bench.ts";
import type { Entry } from "./ends.ts";
import { cpuClock, cpuSecondsBetween, delay } from "./proc_files.ts";

const GIB = 2 ** 30;
/** The server is busy for a moment after a load. */
const ATTEMPTS = 10;
const BUSY_MS = 300;
/** A load ends when all that was sent is through. */
const DRAIN_MS = 30_000;

/** What one load came to. */
export interface BulkSample {
  readonly gbits: number;
  /** Of the processes of the entry alone. */
  readonly cpuPerGib: number;
  readonly bytes: number;
}

/** Sends through the entry for some seconds. */
export async function iperf(bench: Bench, entry: Entry, streams: number, seconds: number): Promise<BulkSample> {
  const args = ["-c", "127.0.0.1", "-p", entry.port, "-t", seconds, "-J", "-P", streams].map(String);
  let problem: string | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = cpuClock(entry.pids);
    const text = await bench.processes.run(["iperf3", ...args], seconds * 1000 + DRAIN_MS);
    const cpu = cpuSecondsBetween(before, cpuClock(entry.pids));
    const { end, error } = JSON.parse(text) as IperfReport;
    if (end.sum_received !== undefined) {
      const { bytes, bits_per_second: bits } = end.sum_received;
      return { gbits: bits / 1e9, cpuPerGib: cpu / (bytes / GIB), bytes };
    }
    problem = error ?? "no result";
    if (!problem.includes("busy")) break;
    await delay(BUSY_MS);
  }
  throw new Error(`iperf3 through ${entry.name}: ${problem}`);
}

interface IperfReport {
  readonly end: { readonly sum_received?: { readonly bytes: number; readonly bits_per_second: number } };
  readonly error?: string;
}
