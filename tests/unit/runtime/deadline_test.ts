import { Deadline } from "../../../src/runtime/deadline.ts";
import { equal, ok, test } from "../../harness.ts";

test("Deadline says whether the time or the caller ended it", async () => {
  const late = new Deadline({ timeoutMs: 1 });
  await new Promise((resolve) => late.signal.addEventListener("abort", resolve));
  equal(late.error("Cannot try").code, "timed_out");
  equal(late.error("Cannot try").message, "Cannot try: timed out");
  late.end();
  const controller = new AbortController();
  const cancelled = new Deadline({ timeoutMs: 60_000, signal: controller.signal });
  controller.abort(new Error("enough"));
  ok(cancelled.signal.aborted);
  equal(cancelled.error("Cannot try").code, "closed");
  cancelled.end();
});

test("Deadline.end() stops the timer and lets go of the caller's signal", () => {
  const controller = new AbortController();
  const deadline = new Deadline({ timeoutMs: 60_000, signal: controller.signal });
  deadline.end();
  controller.abort();
  equal(deadline.signal.aborted, false);
  const dead = new Deadline({ timeoutMs: 60_000, signal: AbortSignal.abort() });
  equal(dead.signal.aborted, true);
  dead.end();
});
