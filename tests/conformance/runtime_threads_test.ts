import { detectRuntime } from "../../src/runtime/detect.ts";
import type { Thread } from "../../src/runtime/types.ts";
import { until } from "../e2e/load.ts";
import { deepEqual, equal, match, ok, test } from "../harness.ts";

const { threads } = await detectRuntime();
const ENTRY = new URL("./runtime_threads_child.ts", import.meta.url).href;

/** A thread that has said that it listens, and what it says and how it ends from then on. */
async function started(): Promise<{ thread: Thread; said: unknown[]; ends: string[] }> {
  const said: unknown[] = [];
  const ends: string[] = [];
  const thread = threads.start(ENTRY, { message: (value) => said.push(value), ended: (reason) => ends.push(reason) });
  await until("it is ready", () => said.length > 0);
  equal(said.shift(), "ready");
  return { thread, said, ends };
}

test("a thread answers, shares memory, and ends silently when it is stopped", async () => {
  ok(threads.processors >= 1);
  equal(threads.parent, null);
  const { thread, said, ends } = await started();
  const memory = new SharedArrayBuffer(4);
  thread.send(memory);
  thread.send(21);
  await until("it answers", () => said.length > 0);
  deepEqual(said, [42]);
  equal(Atomics.load(new Int32Array(memory), 0), 1);
  thread.stop();
  thread.stop();
  thread.send(1);
  deepEqual(ends, []);
});

test("a thread that fails says why, and takes nobody along", async () => {
  const { thread, said, ends } = await started();
  thread.send("fail");
  await until("it is over", () => said.length + ends.length > 0);
  match(String(said[0] ?? ends[0]), /told to/);
  thread.stop();
});
