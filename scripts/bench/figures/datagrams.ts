/**
 * P8: datagrams of 1,200 bytes one way through the tunnel.
 *
 * The load takes its share of the same cores, so beside each figure stands what two bare programs reach with it, and
 * what the programs cost per datagram: its inverse is what a core of one's own would give.
 *
 * @module
 */
import { startBareDatagramHop, startBareDatagramPair } from "../bare.ts";
import { loadCommand } from "../backends.ts";
import { alternate, type Bench, type Figures } from "../bench.ts";
import { type Entry, startTunnel } from "../ends.ts";
import { freePort } from "../ports.ts";
import { cpuClock, cpuSecondsBetween } from "../proc_files.ts";
import { median, quotients, round, type Row } from "../rows.ts";

/** Offered rates; each is one row. */
const RATES = [130_000, 260_000] as const;
const LOSS = 0.001;

interface Sample {
  /** Datagrams that were sent per second. */
  readonly rate: number;
  /** Datagrams that arrived per second. */
  readonly arrived: number;
  readonly loss: number;
  /** Datagrams that came twice or were not what was sent. */
  readonly altered: number;
  /** Processor time per datagram that arrived, of each process from the entry on. */
  readonly microseconds: readonly number[];
}

/** A way from the sender to the receiver. */
interface Way {
  readonly name: string;
  readonly port: number;
  readonly target: number;
  readonly pids: readonly number[];
}

export const datagrams: Figures = {
  ids: ["P8"],
  programs: [],
  async run(bench: Bench): Promise<void> {
    for (const tls of bench.options.tls) {
      const entries: Entry[] = [];
      const open = async (start: (target: number) => Promise<Entry>): Promise<Way> => {
        const target = freePort();
        const entry = await start(target);
        entries.push(entry);
        return { ...entry, target };
      };
      const tunnel = await open((backend) => startTunnel(bench.processes, bench.ends, { tls, backend }));
      const pair = await open((target) => startBareDatagramPair(bench, target));
      const hop = await open((target) => startBareDatagramHop(bench, target));
      const port = freePort();
      const direct: Way = { name: "direct", port, target: port, pids: [] };
      for (const rate of RATES) bench.emit(await measureRate(bench, { tunnel, pair, hop, direct }, rate, tls));
      for (const entry of entries) await entry.stop();
    }
  },
};

interface Ways {
  readonly tunnel: Way;
  readonly pair: Way;
  readonly hop: Way;
  /** Says whether this machine can make and take that many at all. */
  readonly direct: Way;
}

async function measureRate(bench: Bench, ways: Ways, rate: number, tls: number): Promise<Row> {
  const samples = new Map<Way, Sample[]>();
  const contenders = [ways.tunnel, ways.pair, ways.hop, ways.direct].map((way) => {
    const own: Sample[] = [];
    samples.set(way, own);
    const name = `UDP ${rate} pps, tls ${tls}, ${way.name}`;
    return { name, measure: async () => void own.push(await send(bench, way, rate)) };
  });
  await alternate(bench, contenders);
  const of = (way: Way) => samples.get(way)!;
  const middle = (way: Way, pick: (sample: Sample) => number) => median(of(way).map(pick));
  const costs = (way: Way) =>
    way.pids.map((_, process) => round(middle(way, ({ microseconds }) => microseconds[process]!)));
  const { tunnel, pair, hop, direct } = ways;
  const loss = middle(tunnel, (sample) => sample.loss);
  const altered = of(tunnel).reduce((sum, sample) => sum + sample.altered, 0);
  const arrived = of(tunnel).map((sample) => sample.arrived);
  const bare = of(pair).map((sample) => sample.arrived);
  return {
    id: `P8/${rate / 1000}k/tls${tls}`,
    pass: middle(tunnel, (sample) => sample.rate) >= rate * 0.98 && loss < LOSS && altered === 0,
    measured: {
      value: Math.round(median(arrived)),
      unit: "pps",
      spread: [Math.round(Math.min(...arrived)), Math.round(Math.max(...arrived))],
      offered: Math.round(middle(tunnel, (sample) => sample.rate)),
      lossPercent: round(loss * 100),
      altered,
      microsecondsPerDatagram: costs(tunnel),
      bareLoop: Math.round(median(bare)),
      bareLoopMicroseconds: costs(pair),
      bareHop: Math.round(middle(hop, (sample) => sample.arrived)),
      bareHopMicroseconds: costs(hop),
      directLossPercent: round(middle(direct, (sample) => sample.loss) * 100),
      directOffered: Math.round(middle(direct, (sample) => sample.rate)),
    },
    demand: `${rate} pps with < ${LOSS * 100} % loss, 0 altered`,
    comparison: { to: "bare loop", better: "higher", ratios: quotients(arrived, bare).map(round) },
  };
}

async function send(bench: Bench, { port, target, pids }: Way, rate: number): Promise<Sample> {
  const { seconds } = bench.options;
  const total = Math.floor(rate * seconds);
  const receiver = bench.processes.start("UDP receiver", loadCommand("udp_receiver", target, total));
  try {
    await receiver.printed("ready", 5000);
    const before = pids.map((pid) => cpuClock([pid]));
    const sender = await bench.processes.run(loadCommand("udp_sender", port, rate, seconds), seconds * 4000 + 15_000);
    await receiver.printed("}", 25_000);
    const used = pids.map((pid, process) => cpuSecondsBetween(before[process]!, cpuClock([pid])));
    const sent = JSON.parse(sender) as { sent: number; seconds: number };
    const counts = JSON.parse(receiver.output().split("\n").find((line) => line.startsWith("{"))!) as Counts;
    return {
      rate: sent.sent / sent.seconds,
      arrived: counts.received / sent.seconds,
      loss: 1 - counts.received / sent.sent,
      altered: counts.altered + counts.duplicated,
      microseconds: used.map((cpu) => cpu * 1e6 / counts.received),
    };
  } finally {
    await receiver.stop();
  }
}

interface Counts {
  readonly received: number;
  readonly altered: number;
  readonly duplicated: number;
}
