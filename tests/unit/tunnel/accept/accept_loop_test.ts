import { deepEqual, equal, test } from "../../../harness.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { acceptLoop } from "../../../../src/tunnel/accept/accept_loop.ts";
import { settle } from "./memory_port.ts";

interface Seen {
  readonly calls: number[];
  readonly arrived: string[];
  readonly failed: string[];
  readonly recovered: number[];
}

function run(clock: FakeClock, script: (string | Error | null)[], signal: AbortSignal): [Seen, Promise<void>] {
  const seen: Seen = { calls: [], arrived: [], failed: [], recovered: [] };
  const finished = acceptLoop<string>({
    clock,
    signal,
    accept() {
      seen.calls.push(clock.now());
      const item = script.shift() ?? null;
      return item instanceof Error ? Promise.reject(item) : Promise.resolve(item);
    },
    arrived: (conn) => seen.arrived.push(conn),
    failed: (error, before) => before === 0 && seen.failed.push(String(error)),
    recovered: (failures) => seen.recovered.push(failures),
  });
  return [seen, finished];
}

test("acceptLoop backs off from 100 ms to 1 s and reports a row of failures once", async () => {
  const clock = new FakeClock();
  const failures = Array.from({ length: 7 }, () => new Error("too many open files"));
  const [seen, finished] = run(clock, ["a", ...failures, "b", "c", null], new AbortController().signal);
  await settle();
  for (let step = 0; step < 60; step++) await clock.advanceSteps(100, 100);
  await finished;
  deepEqual(seen.calls, [0, 0, 100, 300, 700, 1500, 2500, 3500, 4500, 4500, 4500]);
  deepEqual(seen.arrived, ["a", "b", "c"]);
  deepEqual(seen.failed, ["Error: too many open files"]);
  deepEqual(seen.recovered, [7]);
  equal(clock.pending, 0);
});

test("acceptLoop ends during a pause when its signal fires", async () => {
  const clock = new FakeClock();
  const closing = new AbortController();
  const [seen, finished] = run(clock, [new Error("no")], closing.signal);
  await settle();
  closing.abort();
  await finished;
  equal(seen.calls.length, 1);
  equal(clock.pending, 0);
});
