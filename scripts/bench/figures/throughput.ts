/**
 * P1, P2, P3, P6: bulk bytes by iperf3 with 1 and 4 streams, and what they cost.
 *
 * @module
 */
import { startHaproxy, startIperf } from "../backends.ts";
import { startBareLoops, startBarePair } from "../bare.ts";
import { alternate, type Bench, type Contender, type Figures, wanted } from "../bench.ts";
import { type Entry, startSingle, startTunnel } from "../ends.ts";
import { iperf } from "../iperf.ts";
import { limitRow, median, quotients, ratioRow, round, spread } from "../rows.ts";

const STREAMS = [1, 4] as const;
type Streams = typeof STREAMS[number];

/** Least ratio to HAProxy by number of streams. */
const TUNNEL_RATIO: Readonly<Record<0 | 1, Readonly<Record<Streams, number>>>> = {
  0: { 1: 1.0, 4: 1.15 },
  1: { 1: 0.5, 4: 0.55 },
};
const SINGLE_RATIO = 1.5;
const CPU_SECONDS_PER_GIB = 0.55;
/** Least ratio of another dialect to the usual one. */
const WIRE_RATIO = 0.9;

interface Samples {
  readonly gbits: number[];
  readonly cpuPerGib: number[];
}

/** An entry of the product and what the runtime reaches in its place. */
interface Measured {
  readonly entry: Entry;
  readonly bare: Entry;
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
    const tunnels = new Map<0 | 1, Measured>();
    for (const tls of bench.options.tls) {
      if (!(tls === 0 ? wanted(bench, "P1", "P2") : wanted(bench, "P3"))) continue;
      const entry = await startTunnel(bench.processes, bench.ends, { tls, backend: await backend() });
      const bare = tls === 0
        ? await startBareLoops(bench, 2, await backend())
        : await startBarePair(bench, tls, await backend());
      tunnels.set(tls, { entry, bare });
    }
    const { wire } = bench.options;
    const other = wire !== null && tunnels.has(0)
      ? await startTunnel(bench.processes, bench.ends, { tls: 0, wire, backend: await backend() })
      : null;
    const single = wanted(bench, "P6")
      ? {
        entry: await startSingle(bench.processes, bench.ends, await backend()),
        bare: await startBareLoops(bench, 1, await backend()),
      }
      : null;
    const measured = [...tunnels.values(), ...(single === null ? [] : [single])];
    const entries = [
      haproxy,
      ...(other === null ? [] : [other]),
      ...measured.flatMap(({ entry, bare }) => [entry, bare]),
    ];
    for (const streams of STREAMS) await measureStreams(bench, streams, { haproxy, tunnels, other, single, entries });
    await Promise.all([...entries, ...backends].map((entry) => entry.stop()));
  },
};

interface Scene {
  readonly haproxy: Entry;
  readonly tunnels: ReadonlyMap<0 | 1, Measured>;
  /** The tunnel of another dialect, in clear. */
  readonly other: Entry | null;
  readonly single: Measured | null;
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
  const emit = (id: string, { entry, bare }: Measured, minimum: number) => {
    const ours = all.get(entry)!;
    const extra = costs(ours, haproxy, all.get(bare)!);
    bench.emit(ratioRow(`${id}/${streams}`, "Gbit/s", { ours: ours.gbits, haproxy: haproxy.gbits }, minimum, extra));
  };
  const [plain, inTls] = [scene.tunnels.get(0), scene.tunnels.get(1)];
  if (plain && wanted(bench, "P1")) emit("P1", plain, TUNNEL_RATIO[0][streams]);
  if (plain && wanted(bench, "P2")) emitCost(bench, streams, haproxy, all.get(plain.entry)!, all.get(plain.bare)!);
  if (plain && scene.other) emitWire(bench, streams, all.get(scene.other)!, all.get(plain.entry)!);
  if (inTls) emit("P3", inTls, TUNNEL_RATIO[1][streams]);
  if (scene.single) emit("P6", scene.single, SINGLE_RATIO);
}

function emitCost(bench: Bench, streams: Streams, haproxy: Samples, ours: Samples, bare: Samples): void {
  const extra = { haproxy: round(median(haproxy.cpuPerGib)), bareLoop: round(median(bare.cpuPerGib)) };
  const ratios = quotients(ours.cpuPerGib, haproxy.cpuPerGib).map(round);
  const comparison = { to: "HAProxy", better: "lower", ratios } as const;
  bench.emit(limitRow(`P2/${streams}`, "cpu-s/GiB", ours.cpuPerGib, CPU_SECONDS_PER_GIB, extra, comparison));
}

function emitWire(bench: Bench, streams: Streams, other: Samples, secure: Samples): void {
  const ratio = median(quotients(other.gbits, secure.gbits));
  bench.emit({
    id: `wire-${bench.options.wire}/${streams}`,
    pass: ratio >= WIRE_RATIO,
    measured: {
      value: round(median(other.gbits)),
      unit: "Gbit/s",
      spread: spread(other.gbits),
      secure: round(median(secure.gbits)),
      secureSpread: spread(secure.gbits),
      ratio: round(ratio),
      cpuSecondsPerGib: round(median(other.cpuPerGib)),
      secureCpuSecondsPerGib: round(median(secure.cpuPerGib)),
    },
    demand: `>= ${WIRE_RATIO} x wire=secure`,
  });
}

function costs(ours: Samples, haproxy: Samples, bare: Samples): Record<string, number> {
  return {
    cpuSecondsPerGib: round(median(ours.cpuPerGib)),
    haproxyCpuSecondsPerGib: round(median(haproxy.cpuPerGib)),
    bareLoop: round(median(bare.gbits)),
    bareLoopCpuSecondsPerGib: round(median(bare.cpuPerGib)),
  };
}
