/**
 * Tests whose result are rows: printed as JSON lines, each must pass.
 *
 * @module
 */
import type { Row } from "../../scripts/bench/rows.ts";
import { ok } from "../harness.ts";

/** The tests that take longer are asked for. */
export const full: boolean = Deno.env.get("NODEPASS_FULL") === "1" || Deno.env.get("NODEPASS_PROFILE") === "full";

/** Registers a test of the command's processes: under Deno alone. */
export function rowTest(name: string, run: () => Promise<readonly Row[]>, skip?: string): void {
  Deno.test({
    name: skip === undefined ? name : `${name} (${skip})`,
    ignore: skip !== undefined,
    async fn() {
      const rows = await run();
      for (const row of rows) console.log(JSON.stringify(row));
      const missed = rows.filter(({ pass }) => pass === false);
      ok(missed.length === 0, missed.map((row) => JSON.stringify(row)).join("\n"));
    },
  });
}
