/**
 * Finds a Node that runs the TypeScript sources as they are.
 *
 * @module
 */

import { runChild } from "./child.ts";

const OLDEST: readonly [number, number] = [22, 18];

let found: Promise<string | null> | null = null;

/** The path of a Node >= 22.18: the one at hand, or else one that npm brings; null when there is neither. */
export function findNode(): Promise<string | null> {
  found ??= search();
  return found;
}

async function search(): Promise<string | null> {
  const named = Deno.env.get("NODEPASS_NODE");
  for (const candidate of named === undefined ? ["node"] : [named, "node"]) {
    if (await isRecent(candidate)) return candidate;
  }
  const npx = await runChild(["npx", "-y", "-p", "node@22", "which", "node"], { limitMs: 180_000 });
  const path = npx.stdout.trim().split("\n").at(-1) ?? "";
  return npx.code === 0 && await isRecent(path) ? path : null;
}

async function isRecent(program: string): Promise<boolean> {
  const { code, stdout } = await runChild([program, "--version"], { limitMs: 10_000 });
  const [, major, minor] = /^v(\d+)\.(\d+)\./.exec(stdout) ?? [];
  if (code !== 0 || major === undefined || minor === undefined) return false;
  return Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1]);
}
