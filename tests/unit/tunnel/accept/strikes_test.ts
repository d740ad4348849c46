import { equal, ok, test } from "../../../harness.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { STRIKE_LIMITS, Strikes } from "../../../../src/tunnel/accept/strikes.ts";
import type { Source, Standing } from "../../../../src/tunnel/accept/sources.ts";

const source = (key: string, standing: Standing = "stranger"): Source => ({ key, standing });

function add(strikes: Strikes, from: Source, count: number): number {
  let refusals = 0;
  for (let index = 0; index < count; index++) if (strikes.add(from)) refusals++;
  return refusals;
}

test("Strikes refuses a stranger for 10 s after 20 bad openings in 10 s", () => {
  const clock = new FakeClock();
  const strikes = new Strikes(() => clock.now());
  equal(add(strikes, source("a"), 19), 0);
  ok(!strikes.refuses(source("a")));
  ok(strikes.add(source("a")));
  ok(strikes.refuses(source("a")));
  ok(!strikes.refuses(source("b")));
  clock.advance(9_999);
  ok(strikes.refuses(source("a")));
  clock.advance(1);
  ok(!strikes.refuses(source("a")));
});

test("Strikes forgets bad openings that lie apart", () => {
  const clock = new FakeClock();
  const strikes = new Strikes(() => clock.now());
  for (let index = 0; index < 100; index++) {
    ok(!strikes.add(source("a")));
    clock.advance(1_000);
  }
});

test("Strikes lets a source with a control channel in below the higher bound", () => {
  const clock = new FakeClock();
  const strikes = new Strikes(() => clock.now());
  equal(add(strikes, source("a", "vouched"), STRIKE_LIMITS.perWindow.vouched - 1), 0);
  ok(!strikes.refuses(source("a", "vouched")));
  ok(strikes.add(source("a", "vouched")));
  ok(strikes.refuses(source("a", "vouched")));
  clock.advance(1_000);
  ok(!strikes.refuses(source("a", "vouched")));
});

test("Strikes lifts a refusal once a client proved itself from there", () => {
  const clock = new FakeClock();
  const strikes = new Strikes(() => clock.now());
  add(strikes, source("a"), 20);
  ok(strikes.refuses(source("a")));
  ok(!strikes.refuses(source("a", "vouched")));
});

test("Strikes remembers a bounded number of sources", () => {
  const strikes = new Strikes(() => 0);
  for (let index = 0; index < 10_000; index++) strikes.add(source(`s${index}`));
  equal(strikes.size, STRIKE_LIMITS.sources);
});
