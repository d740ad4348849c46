/**
 * Keep-alive requests and their 99th percentile against the number of connections.
 *
 * @module
 */
import { startHaproxy, startNginx } from "../backends.ts";
import { wrk } from "../wrk.ts";
import { startLines, subtitleOf, type Sweep, sweep } from "./sweep.ts";

const CONNECTIONS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000] as const;

export const connections: Sweep = {
  name: "requests",
  programs: ["wrk", "nginx-full", "haproxy"],
  async measure(place, benches) {
    const nginx = await startNginx(place.processes, place.folder);
    const haproxy = await startHaproxy(place.processes, place.folder, nginx.port);
    const others = await startLines(benches, () => Promise.resolve(nginx.port));
    const lines = [{ name: "HAProxy", bench: benches[0]!, entry: haproxy }, ...others];
    const { seconds } = place.options;
    const { perSecond, p99Ms } = await sweep(
      lines,
      CONNECTIONS,
      ["perSecond", "p99Ms"],
      ({ bench, entry }, x) => wrk(bench, entry, { kind: "keep-alive", connections: x, seconds }),
    );
    await Promise.all([...lines.map((line) => line.entry), nginx].map((entry) => entry.stop()));
    const x = { title: "Connections, each with one request in flight", log: true };
    const subtitle = subtitleOf(place, benches);
    return {
      requests: {
        title: "Keep-alive requests against connections",
        subtitle,
        x,
        y: { title: "Requests per second", log: false },
        series: perSecond,
      },
      "requests-p99": {
        title: "99th percentile of the request time against connections",
        subtitle,
        x,
        y: { title: "99th percentile (ms)", log: true },
        series: p99Ms,
      },
    };
  },
};
