/**
 * The pictures of `docs/benchmarks`: points as JSON, drawn as SVG.
 *
 * @module
 */
import { missingPrograms } from "../backends.ts";
import { type Bench, benchOn, type Workplace } from "../bench.ts";
import { readResult, writeResult } from "../written.ts";
import type { Chart } from "./chart.ts";
import { connections } from "./connections.ts";
import { readyLinks } from "./ready_links.ts";
import { sessions } from "./sessions.ts";
import { streams } from "./streams.ts";
import { drawChart } from "./svg.ts";
import type { Sweep } from "./sweep.ts";

const SWEEPS: readonly Sweep[] = [sessions, streams, connections, readyLinks];
const PICTURES = ["throughput", "requests", "requests-p99", "memory", "short-connections"] as const;

/** Measures and draws. */
export async function measurePlots(place: Workplace): Promise<number> {
  const { plots, runtimes } = place.options;
  const unknown = plots.find((name) => !SWEEPS.some((sweep) => sweep.name === name));
  if (unknown !== undefined) {
    throw new Error(`Plot "${unknown}" is unknown: expected one of ${SWEEPS.map((sweep) => sweep.name).join(" ")}`);
  }
  const benches: Bench[] = [];
  for (const runtime of runtimes) benches.push(await benchOn(place, runtime, () => {}));
  let failed = 0;
  for (const sweep of SWEEPS.filter(({ name }) => plots.length === 0 || plots.includes(name))) {
    const missing = await missingPrograms(sweep.programs);
    if (missing.length > 0) {
      console.log(`${sweep.name}: skipped, needs the Debian package ${missing.join(", ")}`);
      continue;
    }
    try {
      for (const [name, chart] of Object.entries(await sweep.measure(place, benches))) await keep(place, name, chart);
    } catch (error) {
      console.log(`${sweep.name}: ${(error as Error).message}`);
      failed++;
      await place.processes.stopAll();
    }
  }
  return failed === 0 ? 0 : 1;
}

/** Draws what is stored. */
export async function drawPlots(place: Workplace): Promise<number> {
  for (const name of PICTURES) {
    const text = await readResult(place, `${name}.json`);
    if (text !== null) await writeResult(place, `${name}.svg`, drawChart(JSON.parse(text) as Chart));
  }
  return 0;
}

async function keep(place: Workplace, name: string, chart: Chart): Promise<void> {
  await writeResult(place, `${name}.json`, JSON.stringify(chart));
  await writeResult(place, `${name}.svg`, drawChart(chart));
  console.log(`docs/benchmarks/${name}.svg`);
}
