import { ShortTurns } from "../../../../src/core/grpc/short_turns.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { equal, test } from "../../../harness.ts";

function scene() {
  const clock = new FakeClock();
  const deferred: (() => void)[] = [];
  let ended = 0;
  const soon = (run: () => void): void => void deferred.push(run);
  const runtime = {
    clock: Object.assign(Object.create(clock), { soon }),
    process: { endTurn: () => void ended++ },
  };
  const turns = new ShortTurns(runtime as never);
  return { turns, deferred, ended: () => ended };
}

test("ShortTurns: a turn that begins calls for more than 50 ms is to end, again after 50 ms more", () => {
  const { turns, deferred, ended } = scene();
  for (const now of [100, 149, 150]) turns.begins(now);
  equal(ended(), 0);
  turns.begins(151);
  equal(ended(), 1);
  turns.begins(201);
  equal(ended(), 1);
  turns.begins(202);
  equal(ended(), 2);
  equal(deferred.length, 1);
});

test("ShortTurns: calls of different turns are not counted together", () => {
  const { turns, deferred, ended } = scene();
  for (const now of [0, 1_000, 2_000]) {
    turns.begins(now);
    turns.begins(now + 50);
    deferred.shift()?.();
  }
  equal(ended(), 0);
  equal(deferred.length, 0);
});
