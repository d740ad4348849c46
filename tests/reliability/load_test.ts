import { shortConnections, stalledReceiver } from "../../scripts/chaos/scenarios/load.ts";
import { nodeMissing } from "../e2e/process.ts";
import { full, rowTest } from "./row_test_case.ts";

for (const runtime of ["deno", "node"] as const) {
  const skip = runtime === "node" ? nodeMissing : undefined;
  // A machine that others use as well says little in a second.
  rowTest(`one stalled receiver leaves a hundred others alone (${runtime})`, async () => [
    await stalledReceiver({ runtime, flow: "reverse", tls: 1 }, full ? 10 : 1, full ? 0.95 : 0.6),
  ], skip);
  rowTest(`200 connections a second (${runtime})`, async () => [
    await shortConnections({ runtime, flow: "reverse", tls: 1 }, 200, full ? 600 : 3),
  ], skip);
}
