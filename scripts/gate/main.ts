/**
 * The gate: everything that must hold before a change is good, in one command.
 *
 * `--full` adds the tests that take longer. The last line is `N passed, N failed`; the exit status is 0 when nothing
 * failed.
 *
 * @module
 */

import { fuzzApi, lintDocument } from "./api_checks.ts";
import { killAll, runChild } from "./child.ts";
import { exists, ROOT, sourceFiles } from "./files.ts";
import { checkDocComments, filesOf, runDemo, runDocExamples, runExamples, runOnDeno, runOnNode } from "./runners.ts";
import { failed, passed, runSteps, type Step, type StepResult } from "./step.ts";
import { checkAudit, checkDependencies, checkExports, checkReached, checkSizes, checkVersions } from "./tree_checks.ts";

const FULL = Deno.args.includes("--full");
const MINUTE = 60_000;
// Fleets against Core run for four hours in the full profile.
const TEST_LIMIT_MS = FULL ? 360 * MINUTE : 10 * MINUTE;
/** Folders of `tests` with the tests of the product that run on both runtimes at the same time. */
const SUITES: readonly string[] = ["unit", "conformance", "e2e"];
/** Attacks, on both runtimes at the same time: what they measure is how long it takes until an attacker is cut off. */
const ATTACKS = "security";
/** Tests that fill the machine and measure: nothing runs beside them. */
const LONE = "reliability";
/** What is formatted and linted: the tree, not what developers leave beside it. */
const TEXTS: readonly string[] = ["deno.json", "package.json", "README.md", "docs", "mod.ts", "cli.ts"].filter(exists);
const CODE: readonly string[] = ["mod.ts", "cli.ts", "src", "tests", "examples", "scripts"].filter(exists);

if (FULL) Deno.env.set("NODEPASS_PROFILE", "full");
// Colours in captured output would end up in files.
Deno.env.set("NO_COLOR", "1");

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    killAll();
    Deno.exit(130);
  });
}

/** A step that is one Deno command without a count of its own. */
function denoStep(name: string, lane: string, ...args: string[]): Step {
  const run = async (): Promise<StepResult> => {
    const { code, output } = await runChild([Deno.execPath(), ...args], { limitMs: 5 * MINUTE, cwd: ROOT });
    return code === 0 ? passed() : failed(output);
  };
  return { name, lane, run };
}

function step(name: string, lane: string, run: () => StepResult | Promise<StepResult>): Step {
  return { name, lane, run: async () => await run() };
}

/** The steps before the tests; those that compile run beside those that read. */
function staticSteps(): Step[] {
  return [
    denoStep("format", "read", "fmt", "--check", ...new Set([...TEXTS, ...CODE])),
    denoStep("lint", "read", "lint", "--quiet", ...CODE),
    step("file sizes", "read", checkSizes),
    step("versions", "read", checkVersions),
    step("dependencies", "read", checkDependencies),
    step("audit", "read", checkAudit),
    denoStep("types", "compile", "check", "--quiet", ...sourceFiles()),
    step("exports", "compile", checkExports),
    step("unused files", "compile", checkReached),
    step("doc comments", "compile", checkDocComments),
    step("API document", "read", () => lintDocument("master")),
    step("API document of Core", "read", () => lintDocument("core")),
    denoStep("dashboard is built", "read", "run", "-A", "scripts/assets/main.ts", "--check"),
    denoStep("gRPC messages are built", "read", "run", "-A", "scripts/proto/main.ts", "--check"),
  ];
}

/** The steps of one folder of tests: on Deno, and on Node for the files that run there too. */
function suiteSteps(suite: string, lanes: { deno: string; node: string }): Step[] {
  const files = filesOf(suite, false);
  if (files.length === 0) return [];
  // Unit tests do not disturb each other.
  const options = { limitMs: TEST_LIMIT_MS, parallel: suite === "unit" };
  const steps = [step(`${suite} on Deno`, lanes.deno, () => runOnDeno(files, options))];
  // A suite may hold tests of the Deno adapter alone; the list as a whole must not be empty.
  const both = filesOf(suite, true);
  if (both.length > 0) steps.push(step(`${suite} on Node`, lanes.node, () => runOnNode(both, options)));
  return steps;
}

/** The tests: one lane per runtime; what is for both goes along with Node, whose lane is the shorter one. */
function testSteps(): Step[] {
  const steps = SUITES.flatMap((suite) => suiteSteps(suite, { deno: "deno", node: "node" }));
  if (SUITES.every((suite) => filesOf(suite, true).length === 0)) {
    steps.push(step("tests on Node", "node", () => failed("No test file that runs on Node was found")));
  }
  const own = { limitMs: 5 * MINUTE };
  steps.push(step("doc examples", "deno", runDocExamples));
  steps.push(step("gate", "deno", () => runOnDeno(filesOf("gate", false), own)));
  if (exists("examples")) steps.push(step("examples", "node", runExamples));
  if (exists("scripts/demo/main.ts")) steps.push(step("demo", "node", runDemo));
  steps.push(step("API requests", "node", () => fuzzApi("master", FULL)));
  steps.push(step("API requests to Core", "node", () => fuzzApi("core", FULL)));
  steps.push(...suiteSteps("browser", { deno: "node", node: "node" }));
  steps.push(step("packaging", "node", () => runOnDeno(filesOf("packaging", false), own)));
  return steps;
}

const started = performance.now();
const total = { passed: 0, failed: 0, skipped: 0 };
const attacks = suiteSteps(ATTACKS, { deno: "deno", node: "node" });
const lone = suiteSteps(LONE, { deno: "alone", node: "alone" });
for (const steps of [staticSteps(), testSteps(), attacks, lone]) {
  const counts = await runSteps(steps);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}
const seconds = Math.round((performance.now() - started) / 1000);
console.log(
  `\n${FULL ? "full" : "quick"} profile, ${seconds} s${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`,
);
console.log(`${total.passed} passed, ${total.failed} failed`);
Deno.exit(total.failed === 0 ? 0 : 1);
