/**
 * Which scenarios stand behind each figure, and how long they run.
 *
 * @module
 */
import type { RuntimeName } from "../../tests/e2e/process.ts";
import type { Row } from "../bench/rows.ts";
import { conservation } from "./scenarios/conservation.ts";
import { crowd } from "./scenarios/crowd.ts";
import { duplicates } from "./scenarios/duplicates.ts";
import { coreKills } from "./scenarios/kills.ts";
import { mixedLoad } from "./scenarios/load.ts";
import { outage } from "./scenarios/outage.ts";
import { replicas } from "./scenarios/replicas.ts";
import { restore } from "./scenarios/restore.ts";
import { usageRate } from "./scenarios/usage_rate.ts";
import type { StoreKind } from "./stage.ts";

/** How long a figure is measured. */
export interface CoreProfile {
  readonly quick: boolean;
  /** In place of the length of the full profile. */
  readonly seconds?: number | undefined;
}

/** Measures one figure; null where there is none on this store. */
export type CoreMeasure = (runtime: RuntimeName, store: StoreKind, profile: CoreProfile) => Promise<Row> | null;

/** By figure. */
export const CORE_PROFILES: Readonly<Record<string, CoreMeasure>> = {
  C1: (runtime, store, { quick, seconds = 1_800 }) =>
    conservation(
      runtime,
      store,
      quick
        ? { agents: 5, users: 40, seconds: 6, coreKillSeconds: 2.5, agentKillSeconds: 2.5, speed: 60 }
        : { agents: 20, users: 200, seconds, coreKillSeconds: 60, agentKillSeconds: 90, speed: 10 },
    ),
  C2: (runtime, store, { quick }) => duplicates(runtime, store, { copies: quick ? 200 : 1_000, connections: 50 }),
  C3: (runtime, store, { quick }) =>
    outage(runtime, store, quick ? { agents: 30, users: 5, hours: 6 } : { agents: 1_000, users: 5, hours: 6 }),
  C4: (runtime, store, { quick }) =>
    restore(
      runtime,
      store,
      quick
        ? { agents: 4, users: 20, aroundSeconds: 2, ageSeconds: 2, speed: 40 }
        : { agents: 20, users: 100, aroundSeconds: 60, ageSeconds: 720, speed: 10 },
    ),
  CC: (runtime, store, { quick }) =>
    crowd(
      runtime,
      store,
      quick
        ? { agents: 200, perSecond: 200, idleSeconds: 1, afterSeconds: 3 }
        : { agents: 10_000, perSecond: 500, idleSeconds: 30, afterSeconds: 30 },
    ),
  // The gate has two cells of it.
  CK: (runtime, store, { quick }) => coreKills(runtime, store, quick ? 13 : 200),
  CL: (runtime, store, { quick, seconds = 600 }) =>
    mixedLoad(
      runtime,
      store,
      quick
        ? { seconds: Math.min(seconds, 20), rate: 500, p99Ms: 250, nodes: 50, users: 40 }
        : { seconds, rate: 2_500, p99Ms: 100, nodes: 200, users: 100 },
    ),
  CR: (runtime, store, { quick }) =>
    store === "sqlite" ? null : replicas(
      runtime,
      quick ? { agents: 4, users: 100, seconds: 5, rounds: 3 } : { agents: 20, users: 500, seconds: 120, rounds: 20 },
    ),
  CU: (runtime, store, { quick, seconds = quick ? 3 : 30 }) =>
    usageRate(runtime, store, { seconds, entriesPerSecond: (store === "sqlite" ? 20_000 : 50_000) / (quick ? 4 : 1) }),
};
