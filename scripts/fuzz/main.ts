/**
 * Requests made from the OpenAPI document, right and wrong ones, against a running master. Prints one JSON line; exits 0
 * when nothing was found, 1 with what was found, 2 when the program for it cannot be had.
 *
 * `--examples N` sets how many requests an operation gets at most in each part of the run, `--seed N` repeats a run.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { startAddressRelay } from "./address_relay.ts";
import { startFuzzedMaster } from "./master.ts";
import { findSchemathesis } from "./tool.ts";

const { values } = parseArgs({
  options: { examples: { type: "string", default: "100" }, seed: { type: "string" } },
});

const tool = await findSchemathesis();
if (!("path" in tool)) {
  console.log(JSON.stringify(tool));
  Deno.exit(2);
}

const started = performance.now();
let output: string;
let found: boolean;
let lockedOut: boolean;
let failures: readonly string[];
{
  await using master = await startFuzzedMaster();
  const relay = await startAddressRelay(master.port);
  const base = `http://127.0.0.1:${relay.port}/api/v1`;
  const seed = values.seed === undefined ? [] : ["--seed", values.seed];
  const child = new Deno.Command(tool.path, {
    args: [
      ...["--config-file", fileURLToPath(new URL("schemathesis.toml", import.meta.url))],
      ...["run", `${base}/openapi.json`, "--header", `X-API-Key: ${master.key}`],
      ...["--max-examples", values.examples, "--request-timeout", "10"],
      ...["--suppress-health-check", "all", "--continue-on-failure", "--no-color", ...seed],
    ],
    // Where it leaves what it remembers.
    cwd: await Deno.makeTempDir({ prefix: "nodepass-fuzz-run-" }),
    env: {
      SCHEMATHESIS_HOOKS: fileURLToPath(new URL("hooks.py", import.meta.url)),
      PYTHONDONTWRITEBYTECODE: "1",
    },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  });
  const result = await child.output();
  output = new TextDecoder().decode(result.stdout).replaceAll(master.key, "[key]");
  found = !result.success;
  failures = master.failures;
  const last = await fetch(`http://127.0.0.1:${master.port}/api/v1/instances`, {
    headers: { "X-API-Key": master.key },
  });
  await last.body?.cancel();
  lockedOut = last.status !== 200;
  await relay.close();
}

const cases = Number(/(\d+) generated/.exec(output)?.[1] ?? 0);
const seconds = Math.round((performance.now() - started) / 1000);
const seed = /Seed: (\d+)/.exec(output)?.[1] ?? null;
if (lockedOut) console.error("The key of the run was replaced: what came after that proves nothing");
if (found || failures.length > 0) console.error(output, failures.join("\n"));
console.log(JSON.stringify({ cases, found, failures: failures.length, seconds, seed }));
Deno.exit(found || lockedOut || failures.length > 0 || cases === 0 ? 1 : 0);
