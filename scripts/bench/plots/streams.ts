/**
 * Throughput against the number of streams.
 *
 * @module
 */
import { startHaproxy } from "../backends.ts";
import { bulkRate, type Sink, startSink } from "../bulk.ts";
import { startLines, subtitleOf, type Sweep, sweep } from "./sweep.ts";

const STREAMS = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const;

export const streams: Sweep = {
  name: "throughput",
  programs: ["haproxy"],
  async measure(place, benches) {
    // Each line has a sink of its own, so that nothing of one arrives in the time of another.
    const sinks: Sink[] = [];
    const backend = async () => {
      sinks.push(await startSink(place.processes));
      return sinks.at(-1)!.port;
    };
    const haproxy = await startHaproxy(place.processes, place.folder, await backend());
    const lines = [{ name: "HAProxy", bench: benches[0]!, entry: haproxy }, ...await startLines(benches, backend)];
    const { gbits } = await sweep(lines, STREAMS, ["gbits"], async (line, x) => {
      const sink = sinks[lines.indexOf(line)]!;
      return { gbits: await bulkRate(place, { entry: line.entry, sink }, x, place.options.seconds) };
    });
    await Promise.all([...lines.map((line) => line.entry), ...sinks].map((entry) => entry.stop()));
    return {
      throughput: {
        title: "Throughput against streams",
        subtitle: subtitleOf(place, benches),
        x: { title: "Streams at the same time", log: true },
        y: { title: "Throughput (Gbit/s)", log: false },
        series: gbits,
      },
    };
  },
};
