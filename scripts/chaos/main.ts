/**
 * Kills, stalls, black holes, floods and long loads against real processes: `deno task chaos [ID...] [--quick]`.
 *
 * One JSON line per figure on standard output; the exit code is 1 when a demand was missed. `--runtime deno|node` runs
 * both ends on that runtime alone.
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { RuntimeName } from "../../tests/e2e/process.ts";
import { failedRow, type Row } from "../bench/rows.ts";
import { PROFILES } from "./profiles.ts";

async function commit(): Promise<string> {
  const git = new Deno.Command("git", { args: ["rev-parse", "--short=12", "HEAD"], stderr: "null" });
  const { success, stdout } = await git.output().catch(() => ({ success: false, stdout: new Uint8Array() }));
  return success ? new TextDecoder().decode(stdout).trim() : "unknown";
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: { quick: { type: "boolean", default: false }, runtime: { type: "string" }, help: { type: "boolean" } },
  });
  const ids = Object.keys(PROFILES);
  const unknown = positionals.filter((id) => !ids.includes(id));
  if (values.help === true || unknown.length > 0) {
    console.error(`deno task chaos [ID...] [--quick] [--runtime deno|node]\nIDs: ${ids.join(" ")}`);
    return values.help === true ? 0 : 2;
  }
  const at = await commit();
  const runtimes = (["deno", "node"] as const satisfies readonly RuntimeName[])
    .filter((name) => values.runtime === undefined || values.runtime === name);
  let missed = 0;
  for (const id of positionals.length > 0 ? positionals : ids) {
    for (const runtime of runtimes) {
      for (const measure of PROFILES[id]!(runtime, values.quick)) {
        const row: Row = await measure().catch((error) => failedRow(id, error));
        if (row.pass === false) missed++;
        console.log(JSON.stringify({ ...row, runtime, commit: at }));
      }
    }
  }
  return missed > 0 ? 1 : 0;
}

Deno.exit(await main());
