import { blackHole, zombies } from "../../scripts/chaos/scenarios/outages.ts";
import type { Cell } from "../../scripts/chaos/stage.ts";
import { nodeMissing } from "../e2e/process.ts";
import { full, rowTest } from "./row_test_case.ts";

const quick = { NP_REPORT_INTERVAL: "500ms" };

for (const runtime of ["deno", "node"] as const) {
  const cell: Cell = { runtime, flow: "reverse", tls: runtime === "deno" ? 1 : 0 };
  const other: Cell = { runtime, flow: "forward", tls: 1 };
  // Outages cost time and hardly any work: side by side.
  rowTest(`short and long outages (${runtime})`, async () =>
    await Promise.all([
      blackHole(cell, 3_000, "both"),
      blackHole(cell, 24_000, "both", quick),
      blackHole(other, 24_000, runtime === "deno" ? "up" : "down", quick),
      zombies(cell),
      ...(full
        ? [
          blackHole(other, 10_000, "both"),
          blackHole(cell, 30_000, "both"),
          blackHole(other, 30_000, "up"),
          blackHole(cell, 30_000, "down"),
        ]
        : []),
    ]), runtime === "node" ? nodeMissing : undefined);
}
