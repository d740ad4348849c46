import { apiClients, longList } from "../../scripts/chaos/scenarios/api.ts";
import { full, rowTest, runtimes } from "./row_test_fixture.ts";

for (const runtime of runtimes) {
  // A machine that others use as well says little about the slowest of a hundred.
  const demand = full ? { readMs: 100, writeMs: 500 } : { readMs: 2_500, writeMs: 5_000 };
  rowTest(`50 clients of the API, and a list of 1,000 instances (${runtime})`, async () => [
    await apiClients(runtime, full ? 60 : 4, demand),
    await longList(runtime, full ? 200 : 1_000),
  ]);
}
