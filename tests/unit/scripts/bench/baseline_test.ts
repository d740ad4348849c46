import { type Baseline, ratiosOf, regressions, type StoredRatio } from "../../../../scripts/bench/baseline/baseline.ts";
import { limitRow, ratioRow, skippedRow } from "../../../../scripts/bench/rows.ts";
import { deepEqual, equal, match, test } from "../../../harness.ts";

const HIGHER: StoredRatio = { to: "HAProxy", better: "higher", median: 1, spread: [0.96, 1.04] };
const LOWER: StoredRatio = { to: "demand", better: "lower", median: 1, spread: [0.97, 1.03] };

function worse(then: StoredRatio, now: Partial<StoredRatio>): string[] {
  return regressions({ row: then }, { row: { ...then, ...now } }).map(({ name }) => name);
}

test("ratiosOf() keeps the middle and the ends of each row's ratios under the runtime's name", () => {
  const row = ratioRow("P1/1", "Gbit/s", { ours: [9, 12, 10], haproxy: [10, 10, 10] }, 1);
  const limit = limitRow("P11/tls0", "ms", [200, 300], 250);
  deepEqual(ratiosOf("deno", [row, limit, skippedRow("P8", "no network")]), {
    "deno P1/1": { to: "HAProxy", better: "higher", median: 1, spread: [0.9, 1.2] },
    "deno P11/tls0": { to: "demand", better: "lower", median: 1, spread: [0.8, 1.2] },
  });
});

test("limitRow() compares with the bare loop where there is one", () => {
  deepEqual(limitRow("P11/tls0", "ms", [60, 90], 250, { bareLoop: 30 }).comparison, {
    to: "bare loop",
    better: "lower",
    ratios: [2, 3],
  });
});

test("ratiosOf() leaves out repetitions without a ratio", () => {
  const row = ratioRow("P1/1", "Gbit/s", { ours: [5, 8], haproxy: [0, 10] }, 1);
  deepEqual(ratiosOf("node", [row])["node P1/1"]?.spread, [0.8, 0.8]);
});

test("regressions() names a row that lost more than the tolerance and the spread", () => {
  deepEqual(worse(HIGHER, { median: 0.85, spread: [0.82, 0.88] }), ["row"]);
  deepEqual(worse(LOWER, { median: 1.2, spread: [1.15, 1.25] }), ["row"]);
});

test("regressions() says what was stored, what is measured and how much is lost", () => {
  const [first] = regressions({ row: HIGHER }, { row: { ...HIGHER, median: 0.8, spread: [0.79, 0.81] } });
  match(first!.text, /^0\.8 x HAProxy \(0\.79 - 0\.81\), stored 1 \(0\.96 - 1\.04\): 20 % worse$/);
});

test("regressions() lets pass what is within the tolerance", () => {
  deepEqual(worse(HIGHER, { median: 0.91, spread: [0.9, 0.92] }), []);
  deepEqual(worse(LOWER, { median: 1.09, spread: [1.08, 1.1] }), []);
});

test("regressions() lets pass a loss that is noise on either side", () => {
  deepEqual(worse({ ...HIGHER, spread: [0.7, 1.3] }, { median: 0.8, spread: [0.79, 0.81] }), []);
  deepEqual(worse(HIGHER, { median: 0.8, spread: [0.6, 1.01] }), []);
});

test("regressions() lets pass what became better", () => {
  deepEqual(worse(HIGHER, { median: 1.5, spread: [1.4, 1.6] }), []);
  deepEqual(worse(LOWER, { median: 0.5, spread: [0.4, 0.6] }), []);
});

test("regressions() leaves new rows and rows with another measure alone", () => {
  const measured: Baseline = { row: { ...HIGHER, to: "bare loop", median: 0.1 }, fresh: HIGHER };
  deepEqual(regressions({ row: HIGHER }, measured), []);
});

test("regressions() names stored rows that could not be measured", () => {
  const found = regressions({ "deno P1/1": HIGHER }, {}, ["deno P1/1", "deno P3/1"]);
  equal(found.length, 1);
  equal(found[0]?.name, "deno P1/1");
});
