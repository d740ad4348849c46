import { expiry } from "../../scripts/chaos/scenarios/datagrams.ts";
import { idleLimit, pausedReader } from "../../scripts/chaos/scenarios/idle.ts";
import { blackHole, zombies } from "../../scripts/chaos/scenarios/outages.ts";
import { deadTargets } from "../../scripts/chaos/scenarios/targets.ts";
import type { Cell } from "../../scripts/chaos/stage.ts";
import { full, rowTest, runtimes } from "./row_test_fixture.ts";

/** The control channel dies soon; links keep their own time. */
const soon = { NP_REPORT_INTERVAL: "500ms" };

function cells(runtime: Cell["runtime"]): readonly [Cell, Cell] {
  return [{ runtime, flow: "reverse", tls: runtime === "deno" ? 1 : 0 }, { runtime, flow: "forward", tls: 1 }];
}

// All of this waits most of the time: side by side it costs one wait.
rowTest("outages and black holes", async () =>
  await Promise.all(runtimes.flatMap((runtime) => {
    const [reverse, forward] = cells(runtime);
    return [
      blackHole(reverse, 3_000, "both"),
      blackHole(reverse, 18_000, "both", soon),
      blackHole(forward, 18_000, runtime === "deno" ? "up" : "down", soon),
      zombies(reverse),
    ];
  })));

rowTest("dead targets and silence", async () =>
  await Promise.all(runtimes.flatMap((runtime) => {
    const [reverse, forward] = cells(runtime);
    return [deadTargets(reverse), idleLimit(forward, 1_500), expiry(forward, full ? 30_000 : 1_500)];
  })));

if (full) {
  for (const runtime of runtimes) {
    const [reverse, forward] = cells(runtime);
    rowTest(`long outages at the default interval (${runtime})`, async () =>
      await Promise.all([
        blackHole(forward, 10_000, "both"),
        blackHole(reverse, 30_000, "both"),
        blackHole(forward, 30_000, "up"),
        blackHole(reverse, 30_000, "down"),
        pausedReader(reverse, 25_000),
        pausedReader(forward, 45_000),
      ]));
  }
}
