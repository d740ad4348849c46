/** Fleets against Core: nothing is lost or counted twice, whatever is killed. */
import { CORE_PROFILES } from "../../scripts/core/profiles.ts";
import { readyStores, type StoreKind, STORES } from "../../scripts/core/stage.ts";
import type { RuntimeName } from "../e2e/process.ts";
import { full, rowTest, runtimes } from "./row_test_fixture.ts";

/** Every runtime and every store once; all of them, and as long as `deno task chaos-core` takes, in the full profile. */
const FEW: readonly (readonly [RuntimeName, StoreKind])[] = [["deno", "sqlite"], ["node", "postgres"]];
const ONE: readonly (readonly [RuntimeName, StoreKind])[] = [["deno", "sqlite"]];
const ALL = (["deno", "node"] as const).flatMap((runtime) =>
  (["sqlite", "postgres"] as const).map((store) => [runtime, store] as const)
);

const TESTS: readonly (readonly [string, string, typeof FEW])[] = [
  ["C1", "what agents sent is what Core counted, with kills and lost replies", FEW],
  ["C2", "a report that comes many times at once is counted once", FEW],
  ["C3", "what agents kept in an outage comes in", ONE],
  ["CC", "everybody comes back when Core does", ONE],
  ["C4", "a restored backup is brought up to date by the agents", [["node", "postgres"]]],
  ["CK", "a killed Core has everything that it had acknowledged", FEW],
  ["CL", "mixed calls at a steady rate", [["node", "sqlite"]]],
  ["CU", "entries of usage at full speed", FEW],
  ["CR", "two Cores on one PostgreSQL and one Redis", [["deno", "postgres"]]],
];

await readyStores();

for (const [id, name, few] of TESTS) {
  for (const [runtime, store] of full ? ALL : few) {
    if (!runtimes.includes(runtime) || !STORES.includes(store)) continue;
    const measure = CORE_PROFILES[id]!;
    if (id === "CR" && store === "sqlite") continue;
    rowTest(`core: ${name} (${runtime}, ${store})`, async () => {
      const row = await measure(runtime, store, { quick: !full });
      return row === null ? [] : [row];
    });
  }
}

if (!STORES.includes("postgres")) {
  Deno.test({ name: "core: fleets on PostgreSQL and Redis (needs both)", ignore: true, fn() {} });
}
