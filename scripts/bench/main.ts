/**
 * Speed and memory of the real command against the demands: `deno task bench [--help]`.
 *
 * One JSON line per figure on standard output, a Markdown table at the end, progress on standard error. Exit code 1 when
 * a demand was missed.
 *
 * @module
 */
import { missingPrograms } from "./backends.ts";
import { type Bench, type Figures, wanted } from "./bench.ts";
import { resolveEnds } from "./ends.ts";
import { coldStart } from "./figures/cold_start.ts";
import { datagrams } from "./figures/datagrams.ts";
import { latency } from "./figures/latency.ts";
import { memory } from "./figures/memory.ts";
import { requests } from "./figures/requests.ts";
import { throughput } from "./figures/throughput.ts";
import { readOptions, USAGE } from "./options.ts";
import { Processes } from "./processes.ts";
import { failedRow, markdownTable, type Row, skippedRow } from "./rows.ts";

/** The short connections of `requests` leave tens of thousands of sockets in TIME_WAIT, so they come last. */
const ALL: readonly Figures[] = [coldStart, latency, memory, datagrams, throughput, requests];

async function main(): Promise<number> {
  const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
  const options = readOptions(Deno.args, root);
  if (options === null) {
    console.log(USAGE);
    return 0;
  }
  const processes = new Processes();
  const folder = await Deno.makeTempDir({ prefix: "nodepass-bench-" });
  const stop = () => void cleanUp(processes, folder).then(() => Deno.exit(130));
  Deno.addSignalListener("SIGINT", stop);
  Deno.addSignalListener("SIGTERM", stop);
  try {
    const ends = await resolveEnds(processes, options.runtime, options.cli);
    const commit = await commitOf(processes, root);
    const [load] = Deno.loadavg();
    const rows: Row[] = [];
    const emit = (row: Row) => {
      rows.push(row);
      console.log(JSON.stringify({ ...row, runtime: ends.name, commit }));
    };
    const bench: Bench = { options, processes, ends, folder, emit, say: (text) => console.error(`  ${text}`) };
    for (const figures of ALL) await runFigures(bench, figures);
    const machine = `${navigator.hardwareConcurrency} cores, load average ${load!.toFixed(1)} at the start`;
    console.log(`\n${ends.name}, ${commit}, ${machine}\n\n${markdownTable(rows)}`);
    return rows.some((row) => row.pass === false) ? 1 : 0;
  } finally {
    Deno.removeSignalListener("SIGINT", stop);
    Deno.removeSignalListener("SIGTERM", stop);
    await cleanUp(processes, folder);
  }
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
    await bench.processes.close();
  }
}

async function commitOf(processes: Processes, root: string): Promise<string> {
  try {
    return (await processes.run(["git", "-C", root, "rev-parse", "--short=12", "HEAD"], 5000)).trim();
  } catch {
    return "unknown";
  }
}

async function cleanUp(processes: Processes, folder: string): Promise<void> {
  await processes.close();
  await Deno.remove(folder, { recursive: true }).catch(() => {});
}

Deno.exit(await main());
