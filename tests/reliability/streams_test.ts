import { aborts } from "../../scripts/chaos/scenarios/aborts.ts";
import { earlyLeavers, halfCloses, largeWrites, resets, scripts } from "../../scripts/chaos/scenarios/streams.ts";
import { CELLS, FEW_CELLS, Stage } from "../../scripts/chaos/stage.ts";
import { nodeMissing } from "../e2e/process.ts";
import { full, rowTest } from "./row_test_case.ts";

for (const cell of full ? CELLS : FEW_CELLS) {
  const name = `${cell.runtime}, ${cell.flow}, tls=${cell.tls}`;
  rowTest(`streams keep their ends and their bytes (${name})`, async () => {
    await using stage = await Stage.open(cell, { serverQuery: "log=debug" });
    return [
      await halfCloses(stage, full ? 100 : 40),
      await resets(stage, full ? 1_000 : 100),
      await scripts(stage, full ? 1_000 : 10),
      await largeWrites(stage),
      await earlyLeavers(stage, full ? 300 : 30),
      await aborts(stage, full ? 10_000 : 500),
    ];
  }, cell.runtime === "node" ? nodeMissing : undefined);
}
