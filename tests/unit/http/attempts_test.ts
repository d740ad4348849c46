import { deepEqual, equal, test } from "../../harness.ts";
import { Attempts } from "../../../src/http/attempts.ts";
import { FakeClock } from "../../fake_clock.ts";

test("Attempts of a window, then a wait until its end", () => {
  const clock = new FakeClock();
  const attempts = new Attempts({ attempts: 2, windowMs: 1_000 }, () => clock.now());
  deepEqual([attempts.count("a"), attempts.count("a"), attempts.count("b")], [0, 0, 0]);
  clock.advance(400);
  equal(attempts.count("a"), 600);
  clock.advance(599);
  equal(attempts.count("a"), 1);
  clock.advance(1);
  deepEqual([attempts.count("a"), attempts.count("a"), attempts.count("a")], [0, 0, 1_000]);
});

test("Attempts with a pause: it starts with the one that was too many, and does not grow", () => {
  const clock = new FakeClock();
  const attempts = new Attempts({ attempts: 1, windowMs: 1_000, pauseMs: 5_000 }, () => clock.now());
  equal(attempts.count("a"), 0);
  clock.advance(900);
  equal(attempts.count("a"), 5_000);
  clock.advance(4_000);
  equal(attempts.count("a"), 1_000);
  clock.advance(1_000);
  equal(attempts.count("a"), 0);
});

test("Attempts of very many sources: the oldest are forgotten", () => {
  const clock = new FakeClock();
  const attempts = new Attempts({ attempts: 1, windowMs: 1_000 }, () => clock.now());
  attempts.count("first");
  for (let index = 0; index < 20_000; index++) attempts.count(`source ${index}`);
  equal(attempts.count("first"), 0);
  equal(attempts.count("source 19999") > 0, true);
});
