import { Deadlines } from "../../../../src/core/grpc/deadlines.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { deepEqual, equal, test } from "../../../harness.ts";

test("Deadlines: each call is given up at its own time, with one timer for all", () => {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock, 10_000);
  const over: string[] = [];
  const begin = (name: string) => deadlines.begin(clock.now(), () => over.push(`${name} ${clock.now()}`));
  begin("first");
  clock.advance(4_000);
  const second = begin("second");
  clock.advance(1_000);
  begin("third");
  equal(clock.pending, 1);
  second();
  clock.advance(5_000);
  deepEqual(over, ["first 10000"]);
  clock.advance(5_000);
  deepEqual(over, ["first 10000", "third 15000"]);
  equal(clock.pending, 0);
});

test("Deadlines: nobody is given up after close(), and no timer is left", () => {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock, 1_000);
  deadlines.begin(clock.now(), () => {
    throw new Error("given up");
  });
  deadlines.close();
  equal(clock.pending, 0);
  clock.advance(5_000);
});

test("Deadlines: whoever waits among many that end is given up, once, in order", () => {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock, 10_000);
  const over: number[] = [];
  for (let call = 0; call < 1_000; call++) {
    const end = deadlines.begin(clock.now(), () => over.push(call));
    if (call % 100 !== 7) {
      end();
      end();
    }
    clock.advance(5);
  }
  equal(over.length, 0);
  clock.advance(20_000);
  deepEqual(over, [7, 107, 207, 307, 407, 507, 607, 707, 807, 907]);
  equal(clock.pending, 0);
});
