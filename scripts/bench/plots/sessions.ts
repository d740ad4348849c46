/**
 * Memory of an end against the number of idle sessions.
 *
 * @module
 */
import { startEcho } from "../backends.ts";
import type { Bench } from "../bench.ts";
import { startTunnel } from "../ends.ts";
import { mostSessions, openSessions, settledMemory } from "../memory_scene.ts";
import { round } from "../rows.ts";
import { type Point, pointOf, type Series } from "./chart.ts";
import { lineName, subtitleOf, type Sweep } from "./sweep.ts";

const SESSIONS = [0, 1000, 2500, 5000, 7500, 10_000] as const;
const LIMITS = [{ name: "tls 0: 500 MB at 10,000", y: 500 }, { name: "tls 1: 1,200 MB at 10,000", y: 1200 }] as const;

export const sessions: Sweep = {
  name: "memory",
  programs: [],
  async measure(place, benches) {
    const series: Series[] = [];
    for (const bench of benches) {
      for (const tls of place.options.tls) {
        series.push({ name: lineName(bench, `tls ${tls}`), points: await measureEnds(bench, tls) });
      }
    }
    const subtitle = subtitleOf(place, benches);
    const most = reach();
    return {
      memory: {
        title: "Resident memory of the larger end against idle sessions",
        subtitle: most === SESSIONS.at(-1) ? subtitle : `${subtitle}; descriptors of this machine end at ${most}`,
        x: { title: "Idle sessions", log: false },
        y: { title: "Resident memory (MB)", log: false },
        series,
        limits: LIMITS,
      },
    };
  },
};

/** The largest number of sessions that can be shown. */
function reach(): number {
  return Math.min(SESSIONS.at(-1)!, mostSessions());
}

async function measureEnds(bench: Bench, tls: 0 | 1): Promise<Point[]> {
  const echo = await startEcho(bench.processes);
  const entry = await startTunnel(bench.processes, bench.ends, { tls, backend: echo.port });
  const points: Point[] = [];
  const loads = [];
  let open = 0;
  for (const wanted of SESSIONS) {
    const count = Math.min(wanted, reach());
    bench.say(`${count} idle sessions, tls ${tls}`);
    if (count > open) loads.push(await openSessions(bench, entry, count - open));
    open = count;
    const { server, client } = await settledMemory(entry);
    points.push(pointOf(count, [round(Math.max(server, client))]));
  }
  await Promise.all(loads.map((load) => load.stop()));
  await Promise.all([entry.stop(), echo.stop()]);
  return points;
}
