/**
 * P13: what two workers do against one (`NP_WORKERS`), as a single-end forwarder: bulk bytes and short connections.
 *
 * The demand is for two free cores. Where the load generator and the target take theirs, the ratio of what was moved
 * says little; the work per processor second, times two, is what two free cores would give.
 *
 * @module
 */
import { startIperf, startNginx } from "../backends.ts";
import { alternate, type Bench, type Contender, type Figures } from "../bench.ts";
import { type EndRuntime, type Entry, startSingle } from "../ends.ts";
import { iperf } from "../iperf.ts";
import { cpuClock, cpuSecondsBetween, delay } from "../proc_files.ts";
import { median, quotients, round, type Row } from "../rows.ts";
import { wrk } from "../wrk.ts";

const COUNTS = [1, 2] as const;
const RATIO = 1.7;
const STREAMS = 8;
const CONNECTIONS = 50;
/** Two workers, the load and its target. */
const CORES_NEEDED = 4;
/** The main thread listens for a moment before its workers do. */
const SETTLE_MS = 500;

interface Samples {
  readonly perSecond: number[];
  readonly perCpuSecond: number[];
}

type Measure = (bench: Bench, entry: Entry) => Promise<{ readonly perSecond: number; readonly perCpuSecond: number }>;

export const workers: Figures = {
  ids: ["P13"],
  programs: ["wrk", "nginx-full", "iperf3"],
  async run(bench: Bench): Promise<void> {
    const nginx = await startNginx(bench.processes, bench.folder);
    await compare(bench, "close", "connections/s", closed, () => Promise.resolve(nginx));
    await nginx.stop();
    await compare(bench, "bulk", "Gbit/s", bulk, () => startIperf(bench.processes));
  },
};

async function compare(
  bench: Bench,
  kind: string,
  unit: string,
  measure: Measure,
  backend: () => Promise<Entry>,
): Promise<void> {
  const entries: Entry[] = [];
  const all: Samples[] = [];
  const contenders: Contender[] = [];
  for (const count of COUNTS) {
    const samples: Samples = { perSecond: [], perCpuSecond: [] };
    const target = await backend();
    const entry = await startSingle(bench.processes, withWorkers(bench.ends, count), target.port);
    entries.push(entry, target);
    all.push(samples);
    contenders.push({
      name: `${kind}, ${count} worker${count === 1 ? "" : "s"}`,
      measure: async () => {
        const { perSecond, perCpuSecond } = await measure(bench, entry);
        samples.perSecond.push(perSecond);
        samples.perCpuSecond.push(perCpuSecond);
      },
    });
  }
  await delay(SETTLE_MS);
  await alternate(bench, contenders);
  await Promise.all(entries.map((entry) => entry.stop()));
  bench.emit(row(kind, unit, all[0]!, all[1]!));
}

function row(kind: string, unit: string, one: Samples, two: Samples): Row {
  const ratio = median(quotients(two.perSecond, one.perSecond));
  const onFreeCores = 2 * median(quotients(two.perCpuSecond, one.perCpuSecond));
  return {
    id: `P13/workers/${kind}`,
    pass: navigator.hardwareConcurrency >= CORES_NEEDED ? ratio >= RATIO : null,
    measured: {
      value: round(ratio),
      unit: "of one worker",
      one: `${round(median(one.perSecond))} ${unit}`,
      two: `${round(median(two.perSecond))} ${unit}`,
      byProcessorTime: round(onFreeCores),
    },
    demand: `>= ${RATIO} of one worker on two free cores`,
  };
}

function withWorkers(ends: EndRuntime, count: number): EndRuntime {
  return { ...ends, command: ["env", `NP_WORKERS=${count}`, ...ends.command] };
}

async function closed(bench: Bench, entry: Entry): ReturnType<Measure> {
  const before = cpuClock(entry.pids);
  const load = { kind: "close", connections: CONNECTIONS, seconds: bench.options.seconds } as const;
  const { perSecond, requests } = await wrk(bench, entry, load);
  return { perSecond, perCpuSecond: requests / cpuSecondsBetween(before, cpuClock(entry.pids)) };
}

async function bulk(bench: Bench, entry: Entry): ReturnType<Measure> {
  const { gbits, cpuPerGib } = await iperf(bench, entry, STREAMS, bench.options.seconds);
  return { perSecond: gbits, perCpuSecond: 1 / cpuPerGib };
}
