/**
 * P1, P2, P3, P6: bulk bytes by iperf3 with 1 and 4 streams, and what they cost.
 *
 * @module
 */
import { startBareLoops, startHaproxy, startIperf } from "../backends.ts";
import { alternate, type Bench, type Contender, type Figures, wanted } from "../bench.ts";
import { type Entry, startSingle, startTunnel } from "../ends.ts";
import { cpuSeconds, delay } from "../proc_files.ts";
import { limitRow, median, ratioRow, round } from "../rows.ts";

const GIB = 2 ** 30;
/** The server is busy for a moment after a load. */
const ATTEMPTS = 10;
const BUSY_MS = 300;
const STREAMS = [1, 4] as const;
type Streams = typeof STREAMS[number];

/** Least ratio to HAProxy by number of streams. */
const TUNNEL_RATIO: Readonly<Record<0 | 1, Readonly<Record<Streams, number>>>> = {
  0: { 1: 1.0, 4: 1.15 },
  1: { 1: 0.5, 4: 0.55 },
};
const SINGLE_RATIO = 1.5;
const CPU_SECONDS_PER_GIB = 0.55;

interface Samples {
  readonly gbits: number[];
  readonly cpuPerGib: number[];
}

export const throughput: Figures = {
  ids: ["P1", "P2", "P3", "P6"],
  programs: ["iperf3", "haproxy"],
  async run(bench: Bench): Promise<void> {
    // Each way has an iperf3 server of its own: a server is busy until the last bytes of the previous load are through.
    const backends: Entry[] = [];
    const backend = async (): Promise<number> => {
      const server = await startIperf(bench.processes);
      backends.push(server);
      return server.port;
    };
    const haproxy = await startHaproxy(bench.processes, bench.folder, await backend());
    const tunnels = new Map<0 | 1, Entry>();
    for (const tls of bench.options.tls) {
      if (!(tls === 0 ? wanted(bench, "P1", "P2") : wanted(bench, "P3"))) continue;
      tunnels.set(tls, await startTunnel(bench.processes, bench.ends, { tls, backend: await backend() }));
    }
    const single = wanted(bench, "P6") ? await startSingle(bench.processes, bench.ends, await backend()) : null;
    const oneHop = single === null ? null : await startBareLoops(bench.processes, 1, await backend());
    const twoHops = tunnels.has(0) ? await startBareLoops(bench.processes, 2, await backend()) : null;
    const entries = [haproxy, ...tunnels.values(), single, oneHop, twoHops].filter((entry) => entry !== null);
    const scene = { haproxy, tunnels, single, oneHop, twoHops, entries };
    for (const streams of STREAMS) await measureStreams(bench, streams, scene);
    await Promise.all([...entries, ...backends].map((entry) => entry.stop()));
  },
};

interface Scene {
  readonly haproxy: Entry;
  readonly tunnels: ReadonlyMap<0 | 1, Entry>;
  readonly single: Entry | null;
  /** What the runtime can do at best, as a tunnel without any tunnel would. */
  readonly oneHop: Entry | null;
  readonly twoHops: Entry | null;
  readonly entries: readonly Entry[];
}

async function measureStreams(bench: Bench, streams: Streams, scene: Scene): Promise<void> {
  const all = new Map<Entry, Samples>(scene.entries.map((entry) => [entry, { gbits: [], cpuPerGib: [] }]));
  for (const entry of scene.entries) await iperf(bench, entry, streams, 1);
  const contenders = scene.entries.map((entry): Contender => ({
    name: `iperf3 ${streams}, ${entry.name}`,
    async measure(): Promise<void> {
      const { gbits, cpuPerGib } = await iperf(bench, entry, streams, bench.options.seconds);
      all.get(entry)!.gbits.push(gbits);
      all.get(entry)!.cpuPerGib.push(cpuPerGib);
    },
  }));
  await alternate(bench, contenders);
  const haproxy = all.get(scene.haproxy)!;
  const emit = (id: string, entry: Entry | null | undefined, minimum: number, bare: Entry | null) => {
    if (!entry) return;
    const ours = all.get(entry)!;
    const extra = { ...cost(ours, haproxy), ...bareCost(bare === null ? null : all.get(bare)!) };
    bench.emit(ratioRow(`${id}/${streams}`, "Gbit/s", { ours: ours.gbits, haproxy: haproxy.gbits }, minimum, extra));
  };
  const plain = scene.tunnels.get(0);
  if (wanted(bench, "P1")) emit("P1", plain, TUNNEL_RATIO[0][streams], scene.twoHops);
  if (plain !== undefined && wanted(bench, "P2")) {
    const { cpuPerGib } = all.get(plain)!;
    const bare = scene.twoHops === null ? null : all.get(scene.twoHops)!;
    const extra = {
      haproxy: round(median(haproxy.cpuPerGib)),
      ...(bare === null ? {} : { bareLoop: round(median(bare.cpuPerGib)) }),
    };
    bench.emit(limitRow(`P2/${streams}`, "cpu-s/GiB", cpuPerGib, CPU_SECONDS_PER_GIB, extra));
  }
  emit("P3", scene.tunnels.get(1), TUNNEL_RATIO[1][streams], null);
  emit("P6", scene.single, SINGLE_RATIO, scene.oneHop);
}

function cost(ours: Samples, haproxy: Samples): Record<string, number> {
  return {
    cpuSecondsPerGib: round(median(ours.cpuPerGib)),
    haproxyCpuSecondsPerGib: round(median(haproxy.cpuPerGib)),
  };
}

function bareCost(bare: Samples | null): Record<string, number> {
  if (bare === null) return {};
  return { bareLoop: round(median(bare.gbits)), bareLoopCpuSecondsPerGib: round(median(bare.cpuPerGib)) };
}

async function iperf(
  bench: Bench,
  entry: Entry,
  streams: Streams,
  seconds: number,
): Promise<{ gbits: number; cpuPerGib: number }> {
  const args = ["-c", "127.0.0.1", "-p", entry.port, "-t", seconds, "-P", streams, "-J"].map(String);
  let problem: string | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = cpuSeconds(entry.pids);
    const text = await bench.processes.run(["iperf3", ...args], seconds * 1000 + 15_000);
    const cpu = cpuSeconds(entry.pids) - before;
    const report = JSON.parse(text) as IperfReport;
    const received = report.end.sum_received;
    if (received !== undefined) {
      return { gbits: received.bits_per_second / 1e9, cpuPerGib: cpu / (received.bytes / GIB) };
    }
    problem = report.error ?? "no result";
    if (!problem.includes("busy")) break;
    await delay(BUSY_MS);
  }
  throw new Error(`iperf3 through ${entry.name}: ${problem}`);
}

interface IperfReport {
  readonly end: { readonly sum_received?: { readonly bytes: number; readonly bits_per_second: number } };
  readonly error?: string;
}
