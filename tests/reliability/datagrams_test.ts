import { boundaries, expiry, flood } from "../../scripts/chaos/scenarios/datagrams.ts";
import { nodeMissing } from "../e2e/process.ts";
import { full, rowTest } from "./row_test_case.ts";

for (const runtime of ["deno", "node"] as const) {
  const skip = runtime === "node" ? nodeMissing : undefined;
  rowTest(`datagrams of 1,000 sources keep their boundaries (${runtime})`, async () => [
    await boundaries({ runtime, flow: "reverse", tls: 1 }, full ? 10 : 1, full ? 0.001 : 0.01),
  ], skip);
  rowTest(`UDP sessions expire, and a flood of sources leaves the old ones (${runtime})`, async () => [
    await expiry({ runtime, flow: "forward", tls: 0 }, full ? 30_000 : 1_500),
    await flood({ runtime, flow: "reverse", tls: 0 }, full ? 50_000 : 3_000, full ? 60 : 3),
  ], skip);
}
