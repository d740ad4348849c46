import { stuckReaders } from "../../scripts/chaos/scenarios/events.ts";
import { full, rowTest, runtimes } from "./row_test_fixture.ts";

// A machine that others use as well says little about the slowest of a hundred.
for (const runtime of runtimes) {
  rowTest(`50 readers of events that never read (${runtime})`, async () => [
    await stuckReaders(runtime, full ? { seconds: 60 } : { seconds: 5, demandMs: 1_000 }),
  ]);
}
