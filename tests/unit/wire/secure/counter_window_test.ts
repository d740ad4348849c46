import fc from "fast-check";
import { COUNTER_WINDOW, CounterWindow } from "../../../../src/wire/secure/counter_window.ts";
import { equal, test } from "../../../harness.ts";

test("CounterWindow accepts any order within the window, each counter once", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 40 }),
      fc.shuffledSubarray(Array.from({ length: COUNTER_WINDOW }, (_, at) => at)),
      (base, order) => {
        const window = new CounterWindow();
        for (const offset of order) if (!window.accept(base + offset)) return false;
        return order.every((offset) => !window.accept(base + offset));
      },
    ),
    { numRuns: 50 },
  );
});

test("CounterWindow never accepts a counter twice, whatever came between", () => {
  const counter = fc.oneof(
    fc.integer({ min: 0, max: 20 }),
    fc.integer({ min: 0, max: 3 * COUNTER_WINDOW }),
    fc.maxSafeNat(),
  );
  fc.assert(fc.property(fc.array(counter, { maxLength: 300 }), (counters) => {
    const window = new CounterWindow();
    const accepted = new Set<number>();
    let highest = -1;
    for (const value of counters) {
      const fresh = !accepted.has(value) && value > highest - COUNTER_WINDOW;
      if (window.accept(value) !== fresh) return false;
      accepted.add(value);
      highest = Math.max(highest, value);
    }
    return true;
  }));
});

test("CounterWindow refuses what left the window and what is no counter", () => {
  const window = new CounterWindow();
  equal(window.accept(COUNTER_WINDOW), true);
  equal(window.accept(0), false);
  equal(window.accept(1), true);
  for (const value of [-1, 0.5, NaN, Infinity, 2 ** 53]) equal(window.accept(value), false);
});
