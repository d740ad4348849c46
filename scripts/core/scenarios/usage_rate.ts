/**
 * How many entries of usage one process counts in a second: CU.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Row } from "../../bench/rows.ts";
import type { RuntimeName } from "../../../tests/e2e/process.ts";
import { startScript } from "../fleet.ts";
import { type StoreKind, storeVariables } from "../stage.ts";
import type { UsagePlan, UsageResult } from "../usage_child.ts";

const FILL_MS = 60_000;

/** Twenty nodes of a thousand users report as fast as they are answered. */
export async function usageRate(
  runtime: RuntimeName,
  store: StoreKind,
  { seconds, entriesPerSecond }: { readonly seconds: number; readonly entriesPerSecond: number },
): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), "nodepass-usage-"));
  try {
    const env = store === "sqlite"
      ? { DATABASE_URL: `sqlite:${join(folder, "core.db")}` }
      : await storeVariables(store);
    const plan: UsagePlan = { env, nodes: 20, users: 1_000, batchSize: 2_000, seconds };
    const path = join(folder, "plan.json");
    await Deno.writeTextFile(path, JSON.stringify(plan));
    await using child = await startScript("usage_child.ts", [path], runtime);
    const line = await child.line(/^result /, { ms: FILL_MS + 2 * seconds * 1000 });
    const result = JSON.parse(line.slice("result ".length)) as UsageResult;
    return {
      id: "CU",
      pass: result.counted && result.entriesPerSecond >= entriesPerSecond,
      measured: { store, seconds, ...result },
      demand: `>= ${entriesPerSecond} entries/s, each report durable before its answer, every byte counted`,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
