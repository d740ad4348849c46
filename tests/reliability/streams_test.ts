import { aborts } from "../../scripts/chaos/scenarios/aborts.ts";
import { earlyLeavers, halfCloses, largeWrites, resets, scripts } from "../../scripts/chaos/scenarios/streams.ts";
import { CELLS, FEW_CELLS, Stage } from "../../scripts/chaos/stage.ts";
import { full, rowTest, runtimes } from "./row_test_fixture.ts";

for (const cell of (full ? CELLS : FEW_CELLS).filter(({ runtime }) => runtimes.includes(runtime))) {
  rowTest(`streams keep their ends and their bytes (${cell.runtime}, ${cell.flow}, tls=${cell.tls})`, async () => {
    await using stage = await Stage.open(cell, { serverQuery: "log=debug", resets: true });
    return [
      await halfCloses(stage, full ? 100 : 20),
      await resets(stage, full ? 1_000 : 50),
      await scripts(stage, full ? 1_000 : 10),
      await largeWrites(stage),
      await earlyLeavers(stage, full ? 300 : 30),
      await aborts(stage, full ? 10_000 : 500),
    ];
  });
}
