import { masterKills } from "../../scripts/chaos/scenarios/master_kills.ts";
import { full, rowTest, runtimes } from "./row_test_fixture.ts";

/** 26 in all, over both runtimes; 500 in the full profile. */
const cycles = full ? 250 : 13;

for (const runtime of runtimes) {
  rowTest(`a killed master loses nothing that it had acknowledged (${runtime})`, async () => [
    await masterKills(runtime, cycles),
  ]);
}
