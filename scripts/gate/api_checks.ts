/**
 * Checks of the OpenAPI documents of masters and Core by programs that others wrote.
 *
 * @module
 */

import { join } from "node:path/posix";
import { openApiDocument as coreDocument } from "../../src/core/openapi/document.ts";
import { openApiDocument as masterDocument } from "../../src/master/openapi/document.ts";
import { runChild } from "./child.ts";
import { ROOT } from "./files.ts";
import { failed, passed, skipped, type StepResult } from "./step.ts";

const REDOCLY = "@redocly/cli@2.77.0";
const MINUTE = 60_000;

/** Whose API. */
export type Api = "master" | "core";

/** The document has no fault and no warning in the recommended rules of redocly. */
export async function lintDocument(api: Api): Promise<StepResult> {
  const path = join(ROOT, "build", api === "master" ? "openapi.json" : "openapi-core.json");
  await Deno.mkdir(join(ROOT, "build"), { recursive: true });
  await Deno.writeTextFile(path, JSON.stringify(api === "master" ? masterDocument("/api") : coreDocument));
  const { output, stdout } = await runChild(["npx", "-y", REDOCLY, "lint", "--format=json", path], {
    limitMs: 3 * MINUTE,
    cwd: ROOT,
    env: { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" },
  });
  const totals = /"totals":\s*\{\s*"errors":\s*(\d+),\s*"warnings":\s*(\d+)/.exec(stdout);
  if (totals === null) return notChecked(`${REDOCLY}: ${output.trim().split("\n").at(-1) ?? ""}`);
  return totals[1] === "0" && totals[2] === "0" ? passed() : failed(stdout);
}

/** Arguments of a run: `full` makes more than 5,000 requests. */
const RUNS: Readonly<Record<Api, { readonly quick: readonly string[]; readonly full: readonly string[] }>> = {
  master: { quick: ["--examples", "3"], full: ["--examples", "400"] },
  core: { quick: ["--quick", "--examples", "2"], full: ["--examples", "60"] },
};

/** Requests made from the document find nothing in a running program: a few hundred, or more than 5,000 with `full`. */
export async function fuzzApi(api: Api, full: boolean): Promise<StepResult> {
  const command = [Deno.execPath(), "run", "-A", "--no-check", "--quiet", "scripts/fuzz/main.ts", api];
  const { code, output, stdout } = await runChild([...command, ...RUNS[api][full ? "full" : "quick"]], {
    limitMs: (full ? 60 : 5) * MINUTE,
    cwd: ROOT,
  });
  const result = /\{.*\}\s*$/.exec(stdout)?.[0];
  if (result === undefined) return failed(output);
  const { cases, missing, unreachable } = JSON.parse(result) as Partial<
    Record<"missing" | "unreachable", string> & { cases: number }
  >;
  if (missing !== undefined) return skipped(missing);
  if (unreachable !== undefined) return notChecked(`schemathesis: ${unreachable}`);
  if (code !== 0) return failed(output);
  return full && (cases ?? 0) < 5000 ? failed(`Only ${cases} cases`) : passed(`${cases} cases`);
}

/** No program is missing: where a registry does not answer, everything else must still be able to pass. */
function notChecked(why: string): StepResult {
  return { passed: 0, failed: 0, skipped: 1, output: "", note: `NOT CHECKED: ${why}` };
}
