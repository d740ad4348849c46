/**
 * Runs the test files whose path contains a word, on both runtimes: `deno task test:one relay/copy`.
 *
 * `--deno` or `--node` leaves the other runtime out.
 *
 * @module
 */

import { sourceFiles, testFiles } from "./files.ts";
import { runOnDeno, runOnNode } from "./runners.ts";
import { runSteps, type Step } from "./step.ts";

const word = Deno.args.find((argument) => !argument.startsWith("--")) ?? "";
const folders = new Set(sourceFiles().map((path) => /^tests\/(\w+)\//.exec(path)?.[1] ?? ""));
const files = [...folders].filter((folder) => folder !== "").flatMap(testFiles).filter(({ path }) =>
  path.includes(word)
);
const both = files.filter((file) => file.both).map((file) => file.path);
const limitMs = 600_000;

const steps: Step[] = [];
if (!Deno.args.includes("--node")) {
  steps.push({ name: "Deno", lane: "one", run: () => runOnDeno(files.map((file) => file.path), { limitMs }) });
}
if (!Deno.args.includes("--deno") && (both.length > 0 || files.length === 0)) {
  steps.push({ name: "Node", lane: "one", run: () => runOnNode(both, { limitMs }) });
}
const { passed, failed } = await runSteps(steps);
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
