import { EventEmitter } from "node:events";
import { Admission } from "../../../../src/core/grpc/admission.ts";
import type { Clock } from "../../../../src/runtime/types.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { equal, test } from "../../../harness.ts";

class Arriving extends EventEmitter {
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

function scene() {
  const clock = new FakeClock();
  const counted: string[] = [];
  const admission = new Admission(clock, { count: (name) => void counted.push(name) });
  const entered: Arriving[] = [];
  const arrive = (count: number): Arriving[] =>
    Array.from({ length: count }, () => {
      const connection = new Arriving();
      admission.arrive(connection, () => void entered.push(connection));
      return connection;
    });
  return { clock, counted, admission, entered, arrive };
}

test("Admission: fifty enter at once, the others three in ten milliseconds, in their order", () => {
  const { clock, admission, entered, arrive } = scene();
  const all = arrive(62);
  equal(entered.length, 50);
  equal(admission.waiting, 12);
  clock.advance(10);
  equal(entered.length, 53);
  clock.advance(30);
  equal(entered.length, 62);
  equal(entered.every((connection, index) => connection === all[index]), true);
  clock.advance(1_000);
  equal(clock.pending, 0);
  arrive(50);
  equal(entered.length, 112);
  admission.close();
});

test("Admission: while Core is in time more and more enter, a thousand a second at most", () => {
  const { clock, admission, entered, arrive } = scene();
  arrive(50 + 2_048);
  clock.advance(1_000);
  equal(entered.length, 50 + 502);
  clock.advance(1_800);
  equal(admission.waiting, 0);
  arrive(550);
  const before = entered.length;
  clock.advance(100);
  equal(entered.length - before, 100);
  admission.close();
});

/** A clock whose timers come late. */
const slow = (clock: FakeClock, lateMs: () => number): Clock => ({
  now: () => clock.now(),
  wall: () => clock.wall(),
  after: (ms, run) => clock.after(ms + lateMs(), run),
  every: (ms, run) => clock.every(ms, run),
  soon: (run) => clock.soon(run),
});

test("Admission: each time that Core is late with everything fewer enter, fifty at once at most", () => {
  const clock = new FakeClock();
  let late = 40;
  const admission = new Admission(slow(clock, () => late), { count: () => {} });
  let entered = 0;
  for (let index = 0; index < 200; index++) admission.arrive(new Arriving(), () => void entered++);
  clock.advance(50);
  // 240 a second, for 50 ms.
  equal(entered, 62);
  clock.advance(50);
  // 192 a second.
  equal(entered, 71);
  late = 2_000;
  clock.advance(50);
  clock.advance(2_010);
  equal(entered, 71 + 8 + 50);
  admission.close();
});

test("Admission: who waits longer than five seconds is turned away, and takes nobody's turn", () => {
  const clock = new FakeClock();
  const counted: string[] = [];
  const admission = new Admission(slow(clock, () => 40), { count: (name) => void counted.push(name) });
  const entered: Arriving[] = [];
  const arrive = (): Arriving => {
    const connection = new Arriving();
    admission.arrive(connection, () => void entered.push(connection));
    return connection;
  };
  const early = Array.from({ length: 1_000 }, arrive);
  clock.advance(4_000);
  const later = arrive();
  clock.advance(1_000);
  equal(counted.length, 0);
  // 50 at first, and never fewer than a hundred a second.
  equal(entered.length > 50 + 500 && entered.length < 50 + 530, true);
  clock.advance(50);
  equal(early.filter(({ destroyed }) => destroyed).length, counted.length);
  equal(entered.includes(later), true);
  equal(entered.length + counted.length, 1_001);
  equal(admission.waiting, 0);
  admission.close();
});

test("Admission: one that leaves while it waits does not enter, and those beyond 2,048 are turned away", () => {
  const { clock, counted, admission, entered, arrive } = scene();
  const all = arrive(50 + 2_048 + 3);
  equal(all.filter(({ destroyed }) => destroyed).length, 3);
  equal(counted.length, 3);
  equal(counted[0], "core_grpc_connections_refused_total");
  all[50]!.destroy();
  equal(admission.waiting, 2_047);
  clock.advance(10);
  equal(entered.includes(all[50]!), false);
  equal(entered.length, 53);
  admission.close();
});

test("Admission: close() ends those that wait, and whoever comes later", () => {
  const { clock, admission, arrive } = scene();
  const all = arrive(60);
  admission.close();
  equal(all.slice(50).every(({ destroyed }) => destroyed), true);
  equal(arrive(1)[0]!.destroyed, true);
  equal(clock.pending, 0);
});
