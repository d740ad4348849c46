/**
 * Requests made from the OpenAPI document, right and wrong ones, against a running master, or with `core` against a
 * running Core. Prints one JSON line; exits 0 when nothing was found, 1 with what was found, 2 when the program for it
 * cannot be had.
 *
 * `--examples N` sets how many requests an operation gets at most in each part of the run, `--quick` leaves out the part
 * that tries every edge of every schema, `--seed N` repeats a run.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { startAddressRelay } from "./address_relay.ts";
import { startFuzzedCore } from "./core.ts";
import { startFuzzedMaster } from "./master.ts";
import type { Fuzzed } from "./fuzzed.ts";
import { findSchemathesis } from "./tool.ts";

const { values, positionals: [what = "master"] } = parseArgs({
  allowPositionals: true,
  options: {
    examples: { type: "string" },
    quick: { type: "boolean", default: false },
    seed: { type: "string" },
  },
});

/** Enough for more than 5,000 requests. */
const EXAMPLES = { master: "100", core: "15" } as const;

const tool = await findSchemathesis();
if (!("path" in tool)) {
  console.log(JSON.stringify(tool));
  Deno.exit(2);
}

if (what !== "master" && what !== "core") throw new Error(`"master" or "core" expected, not "${what}"`);
const starters: Readonly<Record<typeof what, () => Promise<Fuzzed>>> = {
  master: startFuzzedMaster,
  core: startFuzzedCore,
};

const started = performance.now();
let output: string;
let found: boolean;
let lockedOut: boolean;
let failures: readonly string[];
{
  await using fuzzed = await starters[what]();
  const relay = await startAddressRelay(fuzzed.port);
  const base = `http://127.0.0.1:${relay.port}${fuzzed.base}`;
  const seed = values.seed === undefined ? [] : ["--seed", values.seed];
  const child = new Deno.Command(tool.path, {
    args: [
      ...["--config-file", fileURLToPath(new URL(fuzzed.config, import.meta.url))],
      ...["run", `${base}/openapi.json`],
      ...Object.entries(fuzzed.headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]),
      ...["--max-examples", values.examples ?? EXAMPLES[what], "--request-timeout", "10"],
      ...(values.quick ? ["--phases", "examples,fuzzing,stateful"] : []),
      ...["--suppress-health-check", "all", "--continue-on-failure", "--no-color", ...seed],
    ],
    // Where it leaves what it remembers.
    cwd: await Deno.makeTempDir({ prefix: "nodepass-fuzz-run-" }),
    env: {
      SCHEMATHESIS_HOOKS: fileURLToPath(new URL(fuzzed.hooks, import.meta.url)),
      PYTHONDONTWRITEBYTECODE: "1",
    },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  });
  const result = await child.output();
  output = new TextDecoder().decode(result.stdout);
  for (const key of Object.values(fuzzed.headers)) output = output.replaceAll(key, "[key]");
  found = !result.success;
  failures = fuzzed.failures;
  lockedOut = !await fuzzed.stillIn();
  await relay.close();
}

const cases = Number(/(\d+) generated/.exec(output)?.[1] ?? 0);
const seconds = Math.round((performance.now() - started) / 1000);
const seed = /Seed: (\d+)/.exec(output)?.[1] ?? null;
if (lockedOut) console.error("The key of the run was replaced: what came after that proves nothing");
if (found || failures.length > 0) console.error(output, failures.join("\n"));
console.log(JSON.stringify({ cases, found, failures: failures.length, seconds, seed }));
Deno.exit(found || lockedOut || failures.length > 0 || cases === 0 ? 1 : 0);
