import { IdleSweeper } from "../../../src/relay/idle_sweeper.ts";
import { FakeClock } from "../../fake_clock.ts";
import { equal, ok, test } from "../../harness.ts";

test("IdleSweeper fires once, not before the limit and at most two ticks after it", () => {
  const clock = new FakeClock();
  const sweeper = new IdleSweeper(clock);
  const meter = { rx: 0, tx: 0 };
  const fired: number[] = [];
  sweeper.watch(meter, 10_000, () => fired.push(clock.now()));
  clock.advance(7_300);
  meter.tx += 1;
  clock.advance(9_999);
  equal(fired.length, 0);
  clock.advance(2_001);
  equal(fired.length, 1);
  clock.advance(60_000);
  equal(fired.length, 1);
  equal(clock.pending, 0);
});

test("IdleSweeper counts both directions together", () => {
  const clock = new FakeClock();
  const sweeper = new IdleSweeper(clock);
  const meter = { rx: 0, tx: 0 };
  let fired = 0;
  sweeper.watch(meter, 3_000, () => fired++);
  for (let i = 0; i < 20; i++) {
    clock.advance(2_000);
    if (i % 2 === 0) meter.rx++;
    else meter.tx++;
  }
  equal(fired, 0);
  sweeper.close();
  equal(clock.pending, 0);
});

test("IdleSweeper looks more often for short limits", () => {
  const clock = new FakeClock();
  const sweeper = new IdleSweeper(clock);
  let firedAt = 0;
  sweeper.watch({ rx: 0, tx: 0 }, 200, () => firedAt = clock.now());
  clock.advance(1_000);
  ok(firedAt >= 200 && firedAt <= 300, String(firedAt));
});

test("IdleSweeper has a timer only while something is watched", () => {
  const clock = new FakeClock();
  const sweeper = new IdleSweeper(clock);
  equal(clock.pending, 0);
  const stopWatching = sweeper.watch({ rx: 0, tx: 0 }, 5_000, () => {});
  let ticks = 0;
  const stopTicks = sweeper.onTick(() => ticks++);
  equal(clock.pending, 1);
  stopWatching();
  stopWatching();
  clock.advance(3_000);
  equal(ticks, 3);
  stopTicks();
  equal(clock.pending, 0);
});

test("IdleSweeper bears sessions that end each other while it sweeps", () => {
  const clock = new FakeClock();
  const sweeper = new IdleSweeper(clock);
  const stops: (() => void)[] = [];
  let fired = 0;
  for (let i = 0; i < 3; i++) {
    stops.push(sweeper.watch({ rx: 0, tx: 0 }, 1_000, () => {
      fired++;
      for (const stop of stops) stop();
    }));
  }
  clock.advance(5_000);
  equal(fired, 1);
  equal(clock.pending, 0);
});

test("IdleSweeper.close calls nobody any more, even when it happens inside a tick", () => {
  const clock = new FakeClock();
  const sweeper = new IdleSweeper(clock);
  let later = 0;
  sweeper.watch({ rx: 0, tx: 0 }, 1_000, () => sweeper.close());
  sweeper.watch({ rx: 0, tx: 0 }, 1_000, () => later++);
  clock.advance(5_000);
  sweeper.watch({ rx: 0, tx: 0 }, 1_000, () => later++);
  clock.advance(5_000);
  equal(later, 0);
  equal(clock.pending, 0);
});
