/**
 * Short connections against the number of ready links.
 *
 * @module
 */
import { startHaproxy, startNginx } from "../backends.ts";
import type { Entry } from "../ends.ts";
import { startTunnel } from "../ends.ts";
import { wrk } from "../wrk.ts";
import { pointOf, type Series } from "./chart.ts";
import { lineName, subtitleOf, type Sweep } from "./sweep.ts";

const LINKS = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const;
const CONNECTIONS = 50;

export const readyLinks: Sweep = {
  name: "short-connections",
  programs: ["wrk", "nginx-full", "haproxy"],
  async measure(place, benches) {
    const nginx = await startNginx(place.processes, place.folder);
    const haproxy = await startHaproxy(place.processes, place.folder, nginx.port);
    const { reps, seconds } = place.options;
    const measure = async (entry: Entry): Promise<number[]> => {
      const load = { kind: "close", connections: CONNECTIONS } as const;
      await wrk(benches[0]!, entry, { ...load, seconds: 1 });
      const samples: number[] = [];
      for (let rep = 0; rep < reps; rep++) {
        samples.push((await wrk(benches[0]!, entry, { ...load, seconds })).perSecond);
      }
      return samples;
    };
    const series = new Map<string, Series["points"][number][]>();
    const add = (name: string, x: number, samples: readonly number[]) => {
      series.set(name, [...series.get(name) ?? [], pointOf(x, samples)]);
    };
    for (const links of LINKS) {
      place.say(`short connections, min=${links}`);
      add("HAProxy (no links)", links, await measure(haproxy));
      for (const bench of benches) {
        for (const tls of place.options.tls) {
          const entry = await startTunnel(bench.processes, bench.ends, { tls, backend: nginx.port, links });
          add(lineName(bench, `tls ${tls}`), links, await measure(entry));
          await entry.stop();
        }
      }
    }
    await Promise.all([haproxy.stop(), nginx.stop()]);
    return {
      "short-connections": {
        title: `Short connections against ready links, ${CONNECTIONS} at the same time`,
        subtitle: subtitleOf(place, benches),
        x: { title: "Ready links (min)", log: true },
        y: { title: "Connections per second", log: false },
        series: [...series].map(([name, points]) => ({ name, points })),
      },
    };
  },
};
