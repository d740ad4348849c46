/**
 * P12: what the tunnel adds to a round trip with one request in flight, in both flows.
 *
 * @module
 */
import { loadCommand, startEcho, startHaproxy } from "../backends.ts";
import { startBareLoops, startBarePair } from "../bare.ts";
import { alternate, type Bench, type Contender, type Figures } from "../bench.ts";
import { type Entry, startTunnel } from "../ends.ts";
import { median, quotients, round, type Row, spread } from "../rows.ts";

const ROUNDS_PER_SECOND = 1000;
/** Most that one round may add, in milliseconds. `whole` has one write each way, the others write twice, then read. */
const LIMITS: Readonly<Record<Pattern, { readonly p50: number; readonly p99: number }>> = {
  whole: { p50: 0.12, p99: 0.4 },
  visitor: { p50: 1, p99: 1 },
  target: { p50: 1, p99: 1 },
};
type Pattern = "whole" | "visitor" | "target";
const PATTERNS: readonly Pattern[] = ["whole", "visitor", "target"];
const FLOWS = ["reverse", "forward"] as const;

export const latency: Figures = {
  ids: ["P12"],
  programs: ["haproxy"],
  async run(bench: Bench): Promise<void> {
    const echo = await startEcho(bench.processes);
    const haproxy = await startHaproxy(bench.processes, bench.folder, echo.port);
    for (const tls of bench.options.tls) {
      const tunnels = new Map<typeof FLOWS[number], Entry>();
      for (const flow of FLOWS) {
        tunnels.set(flow, await startTunnel(bench.processes, bench.ends, { tls, flow, backend: echo.port }));
      }
      const bare = tls === 0 ? await startBareLoops(bench, 2, echo.port) : await startBarePair(bench, tls, echo.port);
      for (const pattern of PATTERNS) await measurePattern(bench, pattern, { echo, haproxy, bare, tunnels, tls });
      await Promise.all([...tunnels.values(), bare].map((entry) => entry.stop()));
    }
    await Promise.all([haproxy.stop(), echo.stop()]);
  },
};

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

interface Sample {
  readonly direct: Quantiles;
  readonly added: Quantiles;
}

interface Scene {
  readonly echo: Entry;
  readonly haproxy: Entry;
  readonly bare: Entry;
  readonly tunnels: ReadonlyMap<typeof FLOWS[number], Entry>;
  readonly tls: 0 | 1;
}

async function measurePattern(bench: Bench, pattern: Pattern, scene: Scene): Promise<void> {
  const entries = [scene.haproxy, ...scene.tunnels.values(), scene.bare];
  const all = new Map<Entry, Sample[]>(entries.map((entry) => [entry, []]));
  const contenders = entries.map((entry): Contender => ({
    name: `latency ${pattern}, ${entry.name}`,
    measure: async () => void all.get(entry)!.push(await roundTrips(bench, pattern, scene.echo, entry)),
  }));
  await alternate(bench, contenders);
  for (const [flow, entry] of scene.tunnels) {
    const id = `P12/${pattern}/${flow}/tls${scene.tls}`;
    const others = { haproxy: all.get(scene.haproxy)!, bare: all.get(scene.bare)! };
    bench.emit(latencyRow(id, pattern, all.get(entry)!, others));
  }
}

async function roundTrips(bench: Bench, pattern: Pattern, echo: Entry, entry: Entry): Promise<Sample> {
  const rounds = Math.round(bench.options.seconds * ROUNDS_PER_SECOND);
  const command = loadCommand("latency", echo.port, entry.port, pattern, rounds);
  const text = await bench.processes.run(command, rounds * 100 + 15_000);
  const { direct, tunnel } = JSON.parse(text) as { direct: Quantiles; tunnel: Quantiles };
  return { direct, added: { p50: tunnel.p50 - direct.p50, p99: tunnel.p99 - direct.p99 } };
}

function latencyRow(
  id: string,
  pattern: Pattern,
  ours: readonly Sample[],
  others: { readonly haproxy: readonly Sample[]; readonly bare: readonly Sample[] },
): Row {
  const limit = LIMITS[pattern];
  const [added50, added99] = [ours.map(({ added }) => added.p50), ours.map(({ added }) => added.p99)];
  const [haproxy50, bare50] = [others.haproxy, others.bare].map((samples) => samples.map(({ added }) => added.p50));
  const [p50, p99] = [median(added50), median(added99)];
  return {
    id,
    pass: p50 <= limit.p50 && p99 <= limit.p99,
    measured: {
      value: round(p50),
      unit: "ms added at p50",
      spread: spread(added50),
      p99: round(p99),
      p99Spread: spread(added99),
      directP50: round(median(ours.map(({ direct }) => direct.p50))),
      directP99: round(median(ours.map(({ direct }) => direct.p99))),
      haproxy: round(median(haproxy50!)),
      bareLoop: round(median(bare50!)),
      bareLoopP99: round(median(others.bare.map(({ added }) => added.p99))),
    },
    demand: `<= ${limit.p50} / ${limit.p99} ms added at p50 / p99`,
    comparison: { to: "bare loop", better: "lower", ratios: quotients(added50, bare50!).map(round) },
  };
}
