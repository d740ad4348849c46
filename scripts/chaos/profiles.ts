/**
 * Which scenarios stand behind each figure, and how long they run.
 *
 * @module
 */
import type { RuntimeName } from "../../tests/e2e/process.ts";
import type { Row } from "../bench/rows.ts";
import { aborts } from "./scenarios/aborts.ts";
import { apiClients, longList } from "./scenarios/api.ts";
import { boundaries, expiry, flood } from "./scenarios/datagrams.ts";
import { stuckReaders } from "./scenarios/events.ts";
import { pausedReader } from "./scenarios/idle.ts";
import { kills } from "./scenarios/kills.ts";
import { bulk, burst, churn, quietSessions, shortConnections, stalledReceiver } from "./scenarios/load.ts";
import { masterKills } from "./scenarios/master_kills.ts";
import { blackHole, zombies } from "./scenarios/outages.ts";
import { noDescriptors, sigterm } from "./scenarios/shutdown.ts";
import { halfCloses, resets, scripts } from "./scenarios/streams.ts";
import { deadTargets } from "./scenarios/targets.ts";
import { type Cell, CELLS, FEW_CELLS, Stage } from "./stage.ts";

/** Measures one figure. */
export type Measure = () => Promise<Row>;

function onStage(cells: readonly Cell[], work: (stage: Stage) => Promise<Row>): Measure[] {
  return cells.map((cell) => async () => {
    await using stage = await Stage.open(cell, { serverQuery: "log=debug", resets: true });
    return await work(stage);
  });
}

function cells(runtime: RuntimeName, quick: boolean): Cell[] {
  return (quick ? FEW_CELLS : CELLS).filter((cell) => cell.runtime === runtime);
}

/** By figure. */
export const PROFILES: Readonly<Record<string, (runtime: RuntimeName, quick: boolean) => readonly Measure[]>> = {
  T1: (runtime, quick) => onStage(cells(runtime, quick), (stage) => halfCloses(stage, 100)),
  T2: (runtime, quick) => onStage(cells(runtime, quick), (stage) => resets(stage, quick ? 100 : 1_000)),
  T3: (runtime, quick) => onStage(cells(runtime, quick), (stage) => scripts(stage, quick ? 40 : 1_000)),
  T4: (runtime, quick) => onStage(cells(runtime, quick), (stage) => aborts(stage, quick ? 2_000 : 10_000)),
  T6: (runtime, quick) => onCells(runtime, (cell) => pausedReader(cell, quick ? 5_000 : 25_000)),
  API: (runtime, quick) => [
    () => apiClients(runtime, quick ? 15 : 600, { readMs: 100, writeMs: 500 }),
    () => longList(runtime, 200),
  ],
  E1: (runtime, quick) => [() => stuckReaders(runtime, { seconds: quick ? 10 : 600 })],
  F1: (runtime, quick) => [() => kills(runtime, "client", quick ? 4 : 100)],
  F2: (runtime, quick) => [() => kills(runtime, "server", quick ? 4 : 100)],
  F3: (runtime, quick) => [() => masterKills(runtime, quick ? 13 : 250)],
  F4: (runtime, quick) =>
    (quick ? [3_000] : [3_000, 10_000, 30_000]).flatMap((ms) =>
      onCells(runtime, (cell) => blackHole(cell, ms, "both"))
    ),
  F5: (runtime, quick) => [
    ...onCells(runtime, (cell) => blackHole(cell, quick ? 3_000 : 30_000, "up")),
    ...onCells(runtime, (cell) => blackHole(cell, quick ? 3_000 : 30_000, "down")),
    ...onCells(runtime, zombies),
  ],
  F6: (runtime, quick) => onCells(runtime, (cell) => stalledReceiver(cell, quick ? 2 : 20, 0.95)),
  F8: (runtime) => [
    () => noDescriptors({ runtime, flow: "reverse", tls: 1 }, 2_000),
    () => noDescriptors({ runtime, flow: "forward", tls: 0 }, 2_000),
  ],
  F12: (runtime) => [true, false].flatMap((stubborn) => onCells(runtime, (cell) => sigterm(cell, stubborn, 1_000))),
  F13: (runtime) => onCells(runtime, deadTargets),
  U1: (runtime, quick) => onCells(runtime, (cell) => boundaries(cell, quick ? 2 : 30, 0.001)),
  U2: (runtime, quick) => onCells(runtime, (cell) => expiry(cell, quick ? 3_000 : 30_000)),
  U3: (runtime, quick) => onCells(runtime, (cell) => flood(cell, quick ? 5_000 : 50_000, quick ? 5 : 60)),
  L1: (
    runtime,
    quick,
  ) => [() => quietSessions({ runtime, flow: "reverse", tls: 1 }, quick ? 200 : 1_000, quick ? 1 : 30)],
  L4: (runtime, quick) => onCells(runtime, (cell) => shortConnections(cell, 200, quick ? 10 : 600)),
  L5: (runtime, quick) => onCells(runtime, (cell) => bulk(cell, quick ? 1 : 20)),
  L6: (runtime, quick) => [() => burst({ runtime, flow: "reverse", tls: 1 }, quick ? 1_000 : 5_000)],
  M1: (runtime, quick) => [() => churn({ runtime, flow: "reverse", tls: 1 }, quick ? 10 : 60)],
};

/** One cell with and one without encryption. */
function onCells(runtime: RuntimeName, work: (cell: Cell) => Promise<Row>): Measure[] {
  return [
    () => work({ runtime, flow: "reverse", tls: 1 }),
    () => work({ runtime, flow: "forward", tls: 0 }),
  ];
}
