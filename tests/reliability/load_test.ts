import { shortConnections, stalledReceiver } from "../../scripts/chaos/scenarios/load.ts";
import { full, rowTest, runtimes } from "./row_test_fixture.ts";

for (const runtime of runtimes) {
  // A machine that others use as well says little in a second.
  rowTest(`one stalled receiver (${runtime})`, async () => [
    await stalledReceiver({ runtime, flow: "reverse", tls: 1 }, full ? 10 : 1, full ? 0.95 : 0.5),
  ]);
}

const visited = runtimes.map((runtime) => ({ runtime, flow: "reverse", tls: 1 } as const));
if (full) {
  for (const cell of visited) {
    rowTest(`200 connections a second (${cell.runtime})`, async () => [await shortConnections(cell, 200, 600)]);
  }
} else {
  // Most of the time they wait for the links of the warm-up to go.
  rowTest("200 connections a second", () => Promise.all(visited.map((cell) => shortConnections(cell, 200, 2))));
}
