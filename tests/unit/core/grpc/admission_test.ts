import { EventEmitter } from "node:events";
import { Admission } from "../../../../src/core/grpc/admission.ts";
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

test("Admission: while Core is late with everything, fewer enter for the time that passed, fifty at most", () => {
  const clock = new FakeClock();
  let late = 0;
  const slow = {
    now: () => clock.now() + late,
    wall: () => clock.wall(),
    after: (ms: number, run: () => void) => clock.after(ms, run),
    every: (ms: number, run: () => void) => clock.every(ms, run),
    soon: (run: () => void) => clock.soon(run),
  };
  const admission = new Admission(slow, { count: () => {} });
  let entered = 0;
  for (let index = 0; index < 200; index++) admission.arrive(new Arriving(), () => void entered++);
  late = 40;
  clock.advance(10);
  // 180 a second, for 50 ms.
  equal(entered, 59);
  clock.advance(10);
  equal(entered, 62);
  late += 4_000;
  clock.advance(10);
  equal(entered, 112);
  admission.close();
});

test("Admission: who waits longer than five seconds is turned away, and takes nobody's turn", () => {
  const { clock, counted, admission, entered, arrive } = scene();
  const early = arrive(50 + 1_600);
  clock.advance(4_000);
  const later = arrive(1);
  equal(entered.length, 50 + 1_200);
  clock.advance(1_000);
  equal(counted.length, 0);
  clock.advance(10);
  equal(early.filter(({ destroyed }) => destroyed).length, counted.length);
  equal(entered.length + counted.length, 50 + 1_600 + (entered.includes(later[0]!) ? 1 : 0));
  equal(counted.length > 90, true);
  clock.advance(10);
  equal(entered.includes(later[0]!), true);
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
