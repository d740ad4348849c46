/**
 * P8: datagrams of 1,200 bytes one way through the tunnel.
 *
 * @module
 */
import { loadCommand } from "../backends.ts";
import type { Bench, Figures } from "../bench.ts";
import { type Entry, startTunnel } from "../ends.ts";
import { freePort } from "../ports.ts";
import { round, type Row } from "../rows.ts";

/** Offered rates; each is one row. */
const RATES = [130_000, 260_000] as const;
const LOSS = 0.001;

interface Sample {
  readonly rate: number;
  readonly loss: number;
  readonly altered: number;
  readonly duplicated: number;
}

export const datagrams: Figures = {
  ids: ["P8"],
  programs: [],
  async run(bench: Bench): Promise<void> {
    for (const tls of bench.options.tls) {
      const target = freePort();
      const entry = await startTunnel(bench.processes, bench.ends, { tls, backend: target });
      for (const rate of RATES) bench.emit(await measureRate(bench, entry, target, rate, tls));
      await entry.stop();
    }
  },
};

async function measureRate(bench: Bench, entry: Entry, target: number, rate: number, tls: number): Promise<Row> {
  const through: Sample[] = [];
  const direct: Sample[] = [];
  for (let rep = 0; rep < bench.options.reps; rep++) {
    bench.say(`UDP ${rate} pps, tls ${tls} ${rep + 1}/${bench.options.reps}`);
    direct.push(await send(bench, target, target, rate));
    through.push(await send(bench, entry.port, target, rate));
  }
  const best = (samples: readonly Sample[]) => [...samples].sort((a, b) => a.loss - b.loss)[samples.length >> 1]!;
  const middle = best(through);
  const altered = through.reduce((sum, sample) => sum + sample.altered + sample.duplicated, 0);
  const reached = middle.rate >= rate * 0.98;
  return {
    id: `P8/${rate / 1000}k/tls${tls}`,
    pass: reached && middle.loss < LOSS && altered === 0,
    measured: {
      value: Math.round(middle.rate * (1 - middle.loss)),
      unit: "pps",
      offered: Math.round(middle.rate),
      lossPercent: round(middle.loss * 100),
      lossPercentSpread: through.map((sample) => round(sample.loss * 100)),
      altered,
      // Says whether this machine can make and take that many at all.
      directLossPercent: round(best(direct).loss * 100),
      directOffered: Math.round(best(direct).rate),
    },
    demand: `${rate} pps with < ${LOSS * 100} % loss, 0 altered`,
  };
}

async function send(bench: Bench, port: number, target: number, rate: number): Promise<Sample> {
  const { seconds } = bench.options;
  const total = Math.floor(rate * seconds);
  const receiver = bench.processes.start("UDP receiver", loadCommand("udp_receiver", target, total));
  try {
    await receiver.printed("ready", 5000);
    const sender = await bench.processes.run(loadCommand("udp_sender", port, rate, seconds), seconds * 4000 + 15_000);
    await receiver.printed("}", 25_000);
    const sent = JSON.parse(sender) as { sent: number; seconds: number };
    const counts = JSON.parse(receiver.output().split("\n").find((line) => line.startsWith("{"))!) as Counts;
    const { altered, duplicated } = counts;
    return { rate: sent.sent / sent.seconds, loss: 1 - counts.received / sent.sent, altered, duplicated };
  } finally {
    await receiver.stop();
  }
}

interface Counts {
  readonly received: number;
  readonly altered: number;
  readonly duplicated: number;
}
