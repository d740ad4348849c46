/**
 * Stores the ratios of a run, or holds a run against them.
 *
 * @module
 */
import type { Workplace } from "../bench.ts";
import { type Results, runSuite } from "../suite.ts";
import { readResult, writeResult } from "../written.ts";
import { type Baseline, ratiosOf, regressions } from "./baseline.ts";

const FILE = "baseline.json";

/** Measures and writes the ratios; rows that were not measured keep what was stored. */
export async function store(place: Workplace): Promise<number> {
  const stored = await readStored(place);
  const merged = { ...stored, ...ratios(await runSuite(place)) };
  const sorted = Object.fromEntries(Object.entries(merged).sort(([a], [b]) => a < b ? -1 : 1));
  await writeResult(place, FILE, JSON.stringify(sorted));
  console.log(`${Object.keys(sorted).length} ratios stored`);
  return 0;
}

/** Measures and compares; 1 when a row became worse. */
export async function check(place: Workplace): Promise<number> {
  const stored = await readStored(place);
  const results = await runSuite(place);
  const measured = ratios(results);
  const compared = Object.keys(measured).filter((name) => stored[name] !== undefined);
  const worse = regressions(stored, measured, failures(results, stored));
  for (const { name, text } of worse) console.log(`REGRESSION ${name}: ${text}`);
  console.log(`${compared.length} ratios compared, ${worse.length} worse`);
  return worse.length === 0 ? 0 : 1;
}

function ratios(results: readonly Results[]): Baseline {
  return Object.assign({}, ...results.map(({ runtime, rows }) => ratiosOf(runtime, rows)));
}

/** A failed set has one row for each of its figures, `P1` for `P1/1` and `P1/4`. */
function failures(results: readonly Results[], stored: Baseline): string[] {
  const names: string[] = [];
  for (const { runtime, rows } of results) {
    for (const { id, pass, comparison } of rows) {
      if (pass !== false || comparison !== undefined) continue;
      names.push(...Object.keys(stored).filter((name) => `${name}/`.startsWith(`${runtime} ${id}/`)));
    }
  }
  return names;
}

async function readStored(place: Workplace): Promise<Baseline> {
  return JSON.parse(await readResult(place, FILE) ?? "{}") as Baseline;
}
