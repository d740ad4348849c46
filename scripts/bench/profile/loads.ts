/**
 * The loads that are profiled.
 *
 * @module
 */
import { startIperf, startNginx } from "../backends.ts";
import type { Bench } from "../bench.ts";
import type { Entry } from "../ends.ts";
import { iperf } from "../iperf.ts";
import { type RequestKind, wrk } from "../wrk.ts";

/** One load. */
export interface ProfiledLoad {
  readonly title: string;
  readonly tls: 0 | 1;
  /** What costs are counted per. */
  readonly unit: string;
  /** The unit in the plural. */
  readonly units: string;
  startBackend(bench: Bench): Promise<Entry>;
  /** Runs for some seconds; how many units went through. */
  run(bench: Bench, entry: Entry, seconds: number): Promise<number>;
}

const MIB = 2 ** 20;
const CONNECTIONS = 50;

/** All of them. */
export const PROFILED_LOADS: readonly ProfiledLoad[] = [
  bulk("Bulk, tls 0", 0),
  bulk("Bulk, tls 1", 1),
  requests("Keep-alive requests, tls 0", "request", "keep-alive"),
  requests("Short connections, tls 0", "connection", "close"),
];

function bulk(title: string, tls: 0 | 1): ProfiledLoad {
  return {
    title: `${title} (iperf3, 1 stream)`,
    tls,
    unit: "MiB",
    units: "MiB",
    startBackend: (bench) => startIperf(bench.processes),
    run: async (bench, entry, seconds) => (await iperf(bench, entry, 1, seconds)).bytes / MIB,
  };
}

function requests(title: string, unit: string, kind: RequestKind): ProfiledLoad {
  return {
    title: `${title} (wrk, ${CONNECTIONS} at the same time)`,
    tls: 0,
    unit,
    units: `${unit}s`,
    startBackend: (bench) => startNginx(bench.processes, bench.folder),
    run: async (bench, entry, seconds) =>
      (await wrk(bench, entry, { kind, connections: CONNECTIONS, seconds })).requests,
  };
}
