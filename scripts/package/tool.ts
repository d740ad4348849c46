/**
 * Runs a program that a build needs.
 *
 * @module
 */

import { type ChildResult, runChild } from "../gate/child.ts";

const LIMIT_MS = 300_000;

/** Runs a program and throws with all it wrote when it fails. */
export async function runTool(command: readonly string[], cwd: string): Promise<ChildResult> {
  const result = await runChild(command, { limitMs: LIMIT_MS, cwd });
  if (result.code !== 0) throw new Error(`${command.join(" ")}: exit ${result.code}\n${result.output}`);
  return result;
}
