import fc from "fast-check";
import type { Random } from "../../../src/runtime/types.ts";
import { Backoff } from "../../../src/tunnel/backoff.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";

function fixed(fraction: number): Random {
  return { bytes: (count) => new Uint8Array(count), fraction: () => fraction };
}

function row(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => backoff.next());
}

test("Backoff goes at once first, then doubles up to its cap", () => {
  deepEqual(row(new Backoff(fixed(1), 100, 1_000), 7), [0, 100, 200, 400, 800, 1_000, 1_000]);
  deepEqual(row(new Backoff(fixed(0), 100, 1_000), 7), [0, 50, 100, 200, 400, 500, 500]);
});

test("Backoff begins again after a success", () => {
  const backoff = new Backoff(fixed(1), 100, 1_000);
  row(backoff, 5);
  backoff.reset();
  deepEqual(row(backoff, 3), [0, 100, 200]);
});

test("Backoff stays between half and all of the doubled time, however often it failed", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 2_000 }), (fraction, at) => {
      const wait = row(new Backoff(fixed(fraction), 250, 5_000), at + 1)[at]!;
      const full = Math.min(5_000, 250 * 2 ** (at - 1));
      ok(Number.isInteger(wait) && wait >= Math.floor(full / 2) && wait <= full, `${wait} of ${full}`);
    }),
  );
  equal(row(new Backoff(fixed(0.5), 1, 5_000), 1)[0], 0);
});
