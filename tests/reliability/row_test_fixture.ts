/**
 * Tests whose results are rows: printed as JSON lines, each must pass.
 *
 * @module
 */
import type { Row } from "../../scripts/bench/rows.ts";
import { nodeMissing, type RuntimeName } from "../e2e/process.ts";
import { ok } from "node:assert/strict";

/** The tests that take longer are asked for. */
export const full: boolean = Deno.env.get("NODEPASS_FULL") === "1" || Deno.env.get("NODEPASS_PROFILE") === "full";

/** What the ends can run on here. */
export const runtimes: readonly RuntimeName[] = nodeMissing === undefined ? ["deno", "node"] : ["deno"];

/** Registers a test of the command's processes: under Deno alone. */
export function rowTest(name: string, run: () => Promise<readonly Row[]>): void {
  Deno.test(name, async () => {
    const rows = await run();
    for (const row of rows) console.log(JSON.stringify(row));
    const missed = rows.filter(({ pass }) => pass === false);
    ok(missed.length === 0, missed.map((row) => JSON.stringify(row)).join("\n"));
  });
}

if (nodeMissing !== undefined) Deno.test({ name: `ends on Node (${nodeMissing})`, ignore: true, fn() {} });
