import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, test } from "../../harness.ts";

test("FakeClock.advance() runs timers in the order in which they are due, at their time", () => {
  const clock = new FakeClock(1_000);
  const seen: string[] = [];
  clock.after(20, () => seen.push(`late ${clock.now()}`));
  clock.after(10, () => {
    seen.push(`early ${clock.now()}`);
    clock.after(5, () => seen.push(`nested ${clock.now()}`));
  });
  const timer = clock.every(8, () => seen.push(`tick ${clock.now()}`));
  clock.after(1, () => seen.push("never")).cancel();
  clock.advance(20);
  deepEqual(seen, ["tick 8", "early 10", "nested 15", "tick 16", "late 20"]);
  equal(clock.wall(), 1_020);
  equal(clock.pending, 1);
  timer.cancel();
  equal(clock.pending, 0);
});
