/**
 * HTTP requests by wrk.
 *
 * @module
 */
import type { Bench } from "./bench.ts";
import type { Entry } from "./ends.ts";

/** Whether a connection carries many requests or one. */
export type RequestKind = "keep-alive" | "close";

/** One load. */
export interface WrkLoad {
  readonly kind: RequestKind;
  readonly connections: number;
  readonly seconds: number;
}

/** What one load came to. */
export interface WrkSample {
  readonly perSecond: number;
  readonly requests: number;
  /** Failed connections, broken reads and writes, time-outs, and answers other than 2xx and 3xx. */
  readonly errors: number;
  readonly p99Ms: number;
}

/** Sends requests through the entry for some seconds. */
export async function wrk(bench: Bench, entry: Entry, load: WrkLoad): Promise<WrkSample> {
  const { kind, connections, seconds } = load;
  const header = kind === "close" ? ["-H", "Connection: close"] : [];
  const options = ["-t1", `-c${connections}`, `-d${seconds}s`, "--latency", ...header];
  const command = ["wrk", ...options, `http://127.0.0.1:${entry.port}/`];
  return readReport(await bench.processes.run(command, seconds * 1000 + 15_000));
}

/** Reads what `wrk --latency` prints. */
export function readReport(text: string): WrkSample {
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text)?.[1];
  const requests = /(\d+) requests in/.exec(text)?.[1];
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s|m)/.exec(text) ?? [];
  if (rate === undefined || requests === undefined || unit === undefined) {
    throw new Error(`wrk reported no rate:\n${text}`);
  }
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  const answers = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? "0";
  const errors = [...sockets, answers].reduce((sum, count) => sum + Number(count), 0);
  return { perSecond: Number(rate), requests: Number(requests), errors, p99Ms: Number(p99) * MS_PER[unit]! };
}

const MS_PER: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };
