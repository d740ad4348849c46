/**
 * All figures that were asked for, on each runtime that was asked for.
 *
 * @module
 */
import { missingPrograms } from "./backends.ts";
import { type Bench, benchOn, type Figures, wanted, type Workplace } from "./bench.ts";
import { coldStart } from "./figures/cold_start.ts";
import { datagrams } from "./figures/datagrams.ts";
import { latency } from "./figures/latency.ts";
import { master } from "./figures/master.ts";
import { memory } from "./figures/memory.ts";
import { requests } from "./figures/requests.ts";
import { throughput } from "./figures/throughput.ts";
import { workers } from "./figures/workers.ts";
import { failedRow, type Row, skippedRow } from "./rows.ts";
import { markdownTable } from "./table.ts";

/** The short connections of `requests` leave tens of thousands of sockets in TIME_WAIT, so they come last. */
const ALL: readonly Figures[] = [coldStart, latency, memory, master, datagrams, throughput, requests, workers];

/** The rows of one runtime. */
export interface Results {
  /** `deno` or `node`. */
  readonly runtime: string;
  readonly rows: readonly Row[];
}

/** Measures, prints one JSON line per row, and a table for each runtime. */
export async function runSuite(place: Workplace): Promise<Results[]> {
  const results: Results[] = [];
  for (const runtime of place.options.runtimes) {
    const rows: Row[] = [];
    const bench = await benchOn(place, runtime, (row, ends) => {
      rows.push(row);
      console.log(JSON.stringify({ ...row, runtime: ends.name, commit: place.commit }));
    });
    for (const figures of ALL) await runFigures(bench, figures);
    const machine = `${navigator.hardwareConcurrency} cores, load average ${place.loadAtStart.toFixed(1)} at the start`;
    console.log(`\n${bench.ends.name}, ${place.commit}, ${machine}\n\n${markdownTable(rows)}\n`);
    results.push({ runtime, rows });
  }
  return results;
}

/** A set that fails leaves the others alone. */
async function runFigures(bench: Bench, figures: Figures): Promise<void> {
  const ids = figures.ids.filter((id) => wanted(bench, id));
  if (ids.length === 0) return;
  const missing = await missingPrograms(figures.programs);
  if (missing.length > 0) {
    for (const id of ids) bench.emit(skippedRow(id, `needs the Debian package ${missing.join(", ")}`));
    return;
  }
  try {
    await figures.run(bench);
  } catch (error) {
    for (const id of ids) bench.emit(failedRow(id, error));
    await bench.processes.stopAll();
  }
}
