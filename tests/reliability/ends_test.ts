import { kills } from "../../scripts/chaos/scenarios/kills.ts";
import { noDescriptors, sigterm } from "../../scripts/chaos/scenarios/shutdown.ts";
import { nodeMissing } from "../e2e/process.ts";
import { full, rowTest } from "./row_test_case.ts";

for (const runtime of ["deno", "node"] as const) {
  const skip = runtime === "node" ? nodeMissing : undefined;
  const cycles = full ? 100 : 2;
  rowTest(
    `a killed client leaves nothing behind (${runtime})`,
    async () => [await kills(runtime, "client", cycles)],
    skip,
  );
  rowTest(
    `a killed server leaves nothing behind (${runtime})`,
    async () => [await kills(runtime, "server", cycles)],
    skip,
  );
  rowTest(`SIGTERM drains and ends in time (${runtime})`, async () =>
    await Promise.all([
      sigterm({ runtime, flow: "reverse", tls: 1 }, true),
      sigterm({ runtime, flow: "forward", tls: 0 }, false),
    ]), skip);
  rowTest(`a server without descriptors recovers (${runtime})`, async () => [
    await noDescriptors({ runtime, flow: "reverse", tls: 0 }),
  ], skip);
}
