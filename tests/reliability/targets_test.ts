import { idleLimit, pausedReader } from "../../scripts/chaos/scenarios/idle.ts";
import { deadTargets } from "../../scripts/chaos/scenarios/targets.ts";
import { nodeMissing } from "../e2e/process.ts";
import { full, rowTest } from "./row_test_case.ts";

for (const runtime of ["deno", "node"] as const) {
  const skip = runtime === "node" ? nodeMissing : undefined;
  rowTest(`dead targets cost a visitor little (${runtime})`, async () => [
    await deadTargets({ runtime, flow: "reverse", tls: 1 }),
  ], skip);
  rowTest(`silence ends sessions and nothing else (${runtime})`, async () =>
    await Promise.all([
      idleLimit({ runtime, flow: "forward", tls: 1 }, 1_000),
      ...(full
        ? [
          pausedReader({ runtime, flow: "reverse", tls: 0 }, 25_000),
          pausedReader({ runtime, flow: "forward", tls: 1 }, 45_000),
        ]
        : []),
    ]), skip);
}
