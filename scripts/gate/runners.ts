/**
 * Runs the test files on Deno and on Node and counts what they report.
 *
 * @module
 */

import { join } from "node:path/posix";
import { runChild } from "./child.ts";
import { exists, read, ROOT, sourceFiles, testFiles } from "./files.ts";
import { countRun, failedCases, missingPrograms, withoutPassed } from "./junit.ts";
import { findNode } from "./node_program.ts";
import { failed, passed, REQUIRE_PROGRAMS, skipped, type StepResult } from "./step.ts";

/** How a set of test files is run. */
export interface RunOptions {
  /** After this time the runner is killed and counts as failed. */
  readonly limitMs: number;
  /** Run the files side by side. @default false */
  readonly parallel?: boolean;
}

/** Runs test files under Deno with the leak checks of `deno.json`. */
export async function runOnDeno(files: readonly string[], options: RunOptions): Promise<StepResult> {
  if (files.length === 0) return failed("No test file was found");
  return await counted(
    (report) => [
      Deno.execPath(),
      "test",
      "-A",
      "--no-check",
      "--quiet",
      ...(options.parallel ? ["--parallel"] : []),
      `--junit-path=${report}`,
      ...files,
    ],
    options,
  );
}

/** Runs test files under Node. */
export async function runOnNode(files: readonly string[], options: RunOptions): Promise<StepResult> {
  if (files.length === 0) return failed("No test file that runs on Node was found");
  const node = await findNode();
  if (node === null) return skipped("needs Node >= 22.18");
  return await counted(
    (report) => [
      node,
      "--disable-warning=ExperimentalWarning",
      "--test",
      `--test-concurrency=${options.parallel ? 2 : 1}`,
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      "--test-reporter=junit",
      `--test-reporter-destination=${report}`,
      ...files,
    ],
    options,
  );
}

/** The test files of a folder of `tests`; `both` leaves those that run on Deno alone out. */
export function filesOf(folder: string, both: boolean): string[] {
  return testFiles(folder).filter((file) => file.both || !both).map((file) => file.path);
}

/** Type-checks and runs every example in the documentation comments and the Markdown pages. */
export async function runDocExamples(): Promise<StepResult> {
  const pages = ["README.md"].filter(exists);
  const files = [...sourceFiles().filter((path) => path === "mod.ts" || path.startsWith("src/")), ...pages]
    .filter((path) => /```(ts|typescript)\b/.test(read(path)));
  if (files.length === 0) return failed("No example was found in the documentation comments");
  return await counted(
    (report) => [Deno.execPath(), "test", "--doc", "-A", "--quiet", `--junit-path=${report}`, ...files],
    { limitMs: 180_000 },
  );
}

/** Checks that the documentation comments of the public symbols are complete. */
export async function checkDocComments(): Promise<StepResult> {
  const entries = Object.values((JSON.parse(read("deno.json")) as { exports: Record<string, string> }).exports)
    .filter((path) => path !== "./cli.ts" && exists(path));
  const { code, output } = await runChild([Deno.execPath(), "doc", "--lint", ...entries], {
    limitMs: 60_000,
    cwd: ROOT,
  });
  // Documentation is checked without the types of npm packages; the warnings about them bury the findings.
  const shown = output.replace(/^Warning Failed resolving types.*\n(\s+at .*\n)?/gm, "");
  return code === 0 ? passed() : failed(shown);
}

/**
 * Runs every example with `--once` on both runtimes; each must end by itself with status 0.
 *
 * A line `// gate: deno`, `// gate: node` or `// gate: types` limits an example to one runtime or to the type check.
 */
export async function runExamples(): Promise<StepResult> {
  const files = sourceFiles().filter((path) => path.startsWith("examples/"));
  if (files.length === 0) return failed("No example was found");
  const node = await findNode();
  let count = 0;
  const problems: string[] = [];
  const run = async (file: string, name: string, command: readonly string[]): Promise<void> => {
    const { code, output } = await runChild([...command, file, "--once"], { limitMs: 60_000, cwd: ROOT });
    if (code === 0) count++;
    else problems.push(`${file} on ${name}: exit ${code}\n${output}`);
  };
  for (const file of files) {
    const only = /^\/\/ gate: (deno|node|types)\b/m.exec(read(file))?.[1];
    if (only === undefined || only === "deno") {
      await run(file, "Deno", [Deno.execPath(), "run", "-A", "--no-check", "--quiet"]);
    }
    if (node !== null && (only === undefined || only === "node")) {
      await run(file, "Node", [node, "--disable-warning=ExperimentalWarning"]);
    }
  }
  return { passed: count, failed: problems.length, skipped: 0, output: problems.join("\n") };
}

/** Runs the demonstration of the README once. */
export async function runDemo(): Promise<StepResult> {
  const { code, output } = await runChild([Deno.execPath(), "task", "--quiet", "demo", "--once"], {
    limitMs: 60_000,
    cwd: ROOT,
  });
  return code === 0 ? passed() : failed(`exit ${code}\n${output}`);
}

async function counted(command: (report: string) => string[], options: RunOptions): Promise<StepResult> {
  const folder = await Deno.makeTempDir({ prefix: "nodepass-gate-" });
  try {
    const report = join(folder, "junit.xml");
    const { code, output } = await runChild(command(report), { limitMs: options.limitMs, cwd: ROOT });
    const xml = await Deno.readTextFile(report).catch(() => null);
    const missing = REQUIRE_PROGRAMS && xml !== null ? missingPrograms(xml) : [];
    const named = [
      ...missing.map((name) => `Skipped, which is a failure here: ${name}\n`),
      ...failedCases(xml ?? "").map((name) => `Failed: ${name}\n`),
    ];
    const shown = named.join("") + withoutPassed(output);
    return { ...countRun(xml?.includes("</testsuites>") ? xml : null, output, code, REQUIRE_PROGRAMS), output: shown };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
