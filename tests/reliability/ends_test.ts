import { kills } from "../../scripts/chaos/scenarios/kills.ts";
import { noDescriptors, sigterm } from "../../scripts/chaos/scenarios/shutdown.ts";
import { full, rowTest, runtimes } from "./row_test_fixture.ts";

/** Four in all, over both ends and both runtimes. */
const cycles = full ? 100 : 1;

for (const runtime of runtimes) {
  rowTest(`a killed end leaves nothing behind (${runtime})`, async () => [
    await kills(runtime, "client", cycles),
    await kills(runtime, "server", cycles),
  ]);
}

rowTest("SIGTERM drains and ends in time", async () =>
  await Promise.all(runtimes.flatMap((runtime) => [
    sigterm({ runtime, flow: "reverse", tls: 1 }, true),
    sigterm({ runtime, flow: "forward", tls: 0 }, false),
  ])));

rowTest(
  "a server without descriptors recovers",
  async () =>
    await Promise.all(
      runtimes.map((runtime) => noDescriptors({ runtime, flow: "reverse", tls: 0 }, 2_000)),
    ),
);
