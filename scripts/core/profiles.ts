/**
 * Which scenarios stand behind each figure, and how long they run.
 *
 * @module
 */
import type { RuntimeName } from "../../tests/e2e/process.ts";
import type { Row } from "../bench/rows.ts";
import { conservation } from "./scenarios/conservation.ts";
import type { StoreKind } from "./stage.ts";

/** Measures one figure. */
export type CoreMeasure = (runtime: RuntimeName, store: StoreKind, quick: boolean) => Promise<Row>;

/** By figure. */
export const CORE_PROFILES: Readonly<Record<string, CoreMeasure>> = {
  C1: (runtime, store, quick) =>
    conservation(
      runtime,
      store,
      quick
        ? { agents: 5, users: 40, seconds: 8, coreKillSeconds: 3, agentKillSeconds: 3, speed: 60 }
        : { agents: 20, users: 200, seconds: 1800, coreKillSeconds: 60, agentKillSeconds: 90, speed: 10 },
    ),
};
