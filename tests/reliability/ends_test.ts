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

// A machine that others use as well says little about one second.
const slackMs = full ? 1_000 : 3_000;

for (const runtime of runtimes) {
  rowTest(`SIGTERM drains and ends in time (${runtime})`, async () =>
    await Promise.all([
      sigterm({ runtime, flow: "reverse", tls: 1 }, true, slackMs),
      sigterm({ runtime, flow: "forward", tls: 0 }, false, slackMs),
    ]));
}

rowTest(
  "a server without descriptors recovers",
  async () =>
    await Promise.all(
      runtimes.map((runtime) => noDescriptors({ runtime, flow: "reverse", tls: 0 }, 2_000)),
    ),
);
