import { boundaries, flood } from "../../scripts/chaos/scenarios/datagrams.ts";
import { full, rowTest, runtimes } from "./row_test_fixture.ts";

for (const runtime of runtimes) {
  rowTest(`datagrams keep their boundaries, and a flood of sources leaves old sessions (${runtime})`, async () => [
    await boundaries({ runtime, flow: "reverse", tls: 1 }, full ? 10 : 1, full ? 0.001 : 0.01),
    await flood({ runtime, flow: "reverse", tls: 0 }, full ? 50_000 : 3_000, full ? 60 : 3),
  ]);
}
