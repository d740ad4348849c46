import { shortConnections, stalledReceiver } from "../../scripts/chaos/scenarios/load.ts";
import { full, rowTest, runtimes } from "./row_test_fixture.ts";

for (const runtime of runtimes) {
  // A machine that others use as well says little in a second.
  rowTest(`one stalled receiver, 200 connections a second (${runtime})`, async () => [
    await stalledReceiver({ runtime, flow: "reverse", tls: 1 }, full ? 10 : 1, full ? 0.95 : 0.5),
    await shortConnections({ runtime, flow: "reverse", tls: 1 }, 200, full ? 600 : 2),
  ]);
}
