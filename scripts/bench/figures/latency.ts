/**
 * P12: what the tunnel adds to a round trip with one request in flight, in both flows.
 *
 * @module
 */
import { loadCommand, startEcho } from "../backends.ts";
import type { Bench, Figures } from "../bench.ts";
import { type Entry, startTunnel } from "../ends.ts";
import { median, round, type Row, spread } from "../rows.ts";

const ROUNDS_PER_SECOND = 1000;
/** Most that one round may add, in milliseconds. `whole` has one write each way, the others write twice, then read. */
const LIMITS: Readonly<Record<Pattern, { readonly p50: number; readonly p99: number }>> = {
  whole: { p50: 0.12, p99: 0.4 },
  visitor: { p50: 1, p99: 1 },
  target: { p50: 1, p99: 1 },
};
type Pattern = "whole" | "visitor" | "target";
const PATTERNS: readonly Pattern[] = ["whole", "visitor", "target"];

export const latency: Figures = {
  ids: ["P12"],
  programs: [],
  async run(bench: Bench): Promise<void> {
    const echo = await startEcho(bench.processes);
    for (const tls of bench.options.tls) {
      for (const flow of ["reverse", "forward"] as const) {
        const entry = await startTunnel(bench.processes, bench.ends, { tls, flow, backend: echo.port });
        for (const pattern of PATTERNS) {
          bench.say(`latency ${pattern}, ${flow}, tls ${tls}`);
          bench.emit(await measure(bench, `P12/${pattern}/${flow}/tls${tls}`, pattern, { echo, entry }));
        }
        await entry.stop();
      }
    }
    await echo.stop();
  },
};

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

async function measure(
  bench: Bench,
  id: string,
  pattern: Pattern,
  ports: { readonly echo: Entry; readonly entry: Entry },
): Promise<Row> {
  const added: Quantiles[] = [];
  const direct: Quantiles[] = [];
  const rounds = Math.round(bench.options.seconds * ROUNDS_PER_SECOND);
  for (let rep = 0; rep < bench.options.reps; rep++) {
    const command = loadCommand("latency", ports.echo.port, ports.entry.port, pattern, rounds);
    const text = await bench.processes.run(command, rounds * 100 + 15_000);
    const sample = JSON.parse(text) as { direct: Quantiles; tunnel: Quantiles };
    direct.push(sample.direct);
    added.push({ p50: sample.tunnel.p50 - sample.direct.p50, p99: sample.tunnel.p99 - sample.direct.p99 });
  }
  const limit = LIMITS[pattern];
  const p50 = median(added.map((sample) => sample.p50));
  const p99 = median(added.map((sample) => sample.p99));
  return {
    id,
    pass: p50 <= limit.p50 && p99 <= limit.p99,
    measured: {
      value: round(p50),
      unit: "ms added at p50",
      spread: spread(added.map((sample) => sample.p50)),
      p99: round(p99),
      p99Spread: spread(added.map((sample) => sample.p99)),
      directP50: round(median(direct.map((sample) => sample.p50))),
      directP99: round(median(direct.map((sample) => sample.p99))),
    },
    demand: `<= ${limit.p50} / ${limit.p99} ms added at p50 / p99`,
  };
}
