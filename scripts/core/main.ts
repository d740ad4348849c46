/**
 * Fleets against real Cores: `deno task chaos-core [ID...] [--quick] [--store sqlite|postgres] [--seconds N]`.
 *
 * One JSON line per figure on standard output; the exit code is 1 when a demand was missed. `--runtime deno|node` runs
 * on that runtime alone.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { nodeMissing, type RuntimeName } from "../../tests/e2e/process.ts";
import { failedRow } from "../bench/rows.ts";
import { CORE_PROFILES } from "./profiles.ts";
import { type StoreKind, STORES } from "./stage.ts";

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      runtime: { type: "string" },
      store: { type: "string" },
      seconds: { type: "string" },
      help: { type: "boolean" },
    },
  });
  const ids = Object.keys(CORE_PROFILES);
  if (values.help === true || positionals.some((id) => !ids.includes(id))) {
    console.error(
      `deno task chaos-core [ID...] [--quick] [--runtime deno|node] [--store sqlite|postgres] [--seconds N]\nIDs: ${
        ids.join(" ")
      }`,
    );
    return values.help === true ? 0 : 2;
  }
  const runtimes = (nodeMissing === undefined ? ["deno", "node"] as const : ["deno"] as const)
    .filter((name: RuntimeName) => values.runtime === undefined || values.runtime === name);
  const stores = STORES.filter((name: StoreKind) => values.store === undefined || values.store === name);
  let missed = 0;
  for (const id of positionals.length > 0 ? positionals : ids) {
    for (const runtime of runtimes) {
      for (const store of stores) {
        const profile = { quick: values.quick, seconds: values.seconds === undefined ? undefined : +values.seconds };
        const measure = CORE_PROFILES[id]!(runtime, store, profile);
        if (measure === null) continue;
        const row = await measure.catch((error) => failedRow(id, error));
        if (row.pass === false) missed++;
        console.log(JSON.stringify({ ...row, runtime }));
      }
    }
  }
  return missed > 0 ? 1 : 0;
}

// `Deno.exit()` would not tell the databases, which end with the process.
process.exit(await main());
