/**
 * Throughput against the number of streams.
 *
 * @module
 */
import { startHaproxy, startIperf } from "../backends.ts";
import type { Entry } from "../ends.ts";
import { iperf } from "../iperf.ts";
import { startLines, subtitleOf, type Sweep, sweep } from "./sweep.ts";

/** The last is 128 each way at the same time. */
const STREAMS = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const;

export const streams: Sweep = {
  name: "throughput",
  programs: ["iperf3", "haproxy"],
  async measure(place, benches) {
    const backends: Entry[] = [];
    const backend = async () => {
      backends.push(await startIperf(place.processes));
      return backends.at(-1)!.port;
    };
    const haproxy = await startHaproxy(place.processes, place.folder, await backend());
    const lines = [{ name: "HAProxy", bench: benches[0]!, entry: haproxy }, ...await startLines(benches, backend)];
    const { gbits } = await sweep(
      lines,
      STREAMS,
      ["gbits"],
      ({ bench, entry }, x) => iperf(bench, entry, x, place.options.seconds),
    );
    await Promise.all([...lines.map((line) => line.entry), ...backends].map((entry) => entry.stop()));
    return {
      throughput: {
        title: "Throughput against streams",
        subtitle: `${subtitleOf(place, benches)}; 256: 128 streams each way`,
        x: { title: "Streams at the same time", log: true },
        y: { title: "Throughput (Gbit/s)", log: false },
        series: gbits,
      },
    };
  },
};
