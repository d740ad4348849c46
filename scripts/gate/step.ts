/**
 * A step of the gate and the board that runs steps two at a time and keeps the score.
 *
 * @module
 */

import type { Counts } from "./junit.ts";

/** What a step found. */
export interface StepResult extends Counts {
  /** Shown in full when something failed. */
  readonly output: string;
  /** A word for the progress line of a step that passed. */
  readonly note?: string;
}

/** One part of the gate. */
export interface Step {
  readonly name: string;
  /** Steps with the same lane run one after the other. */
  readonly lane: string;
  run(): Promise<StepResult>;
}

/** A check that passed. */
export function passed(note?: string): StepResult {
  return { passed: 1, failed: 0, skipped: 0, output: "", ...(note === undefined ? {} : { note }) };
}

/** A check that failed, with what to read. */
export function failed(output: string): StepResult {
  return { passed: 0, failed: 1, skipped: 0, output };
}

/** A check that could not be made; where every program must be there, that is a failure. */
export function skipped(reason: string): StepResult {
  if (REQUIRE_PROGRAMS) return failed(`Cannot be skipped here: ${reason}`);
  return { passed: 0, failed: 0, skipped: 1, output: "", note: reason };
}

/** Whether a missing outside program is a failure instead of a skip. */
export const REQUIRE_PROGRAMS: boolean = Deno.env.get("NODEPASS_REQUIRE_PROGRAMS") === "1";

/** Runs the lanes side by side, each in order, and prints one line per step. */
export async function runSteps(steps: readonly Step[]): Promise<Counts> {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const lanes = Map.groupBy(steps, (step) => step.lane);
  await Promise.all([...lanes.values()].map(async (lane) => {
    for (const step of lane) {
      const started = performance.now();
      const result = await runStep(step);
      total.passed += result.passed;
      total.failed += result.failed;
      total.skipped += result.skipped;
      printStep(step.name, result, performance.now() - started);
    }
  }));
  return total;
}

async function runStep(step: Step): Promise<StepResult> {
  try {
    return await step.run();
  } catch (error) {
    return failed(error instanceof Error ? error.stack ?? error.message : String(error));
  }
}

function printStep(name: string, result: StepResult, elapsedMs: number): void {
  const word = result.failed > 0 ? "FAIL" : result.passed > 0 ? "ok  " : "skip";
  const seconds = `${(elapsedMs / 1000).toFixed(1)} s`;
  const parts = [`${result.passed} passed`];
  if (result.failed > 0) parts.push(`${result.failed} failed`);
  if (result.skipped > 0) parts.push(`${result.skipped} skipped`);
  if (result.note !== undefined) parts.push(result.note);
  console.log(`${word}  ${name.padEnd(24)} ${seconds.padStart(8)}   ${parts.join(", ")}`);
  if (result.failed > 0) console.log(indent(result.output.trimEnd()));
}

function indent(text: string): string {
  return text.split("\n").map((line) => `      | ${line}`).join("\n");
}
