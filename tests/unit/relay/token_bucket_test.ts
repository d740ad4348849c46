import fc from "fast-check";
import { TokenBucket } from "../../../src/relay/token_bucket.ts";
import { FakeClock } from "../../fake_clock.ts";
import { equal, ok, test, throws } from "../../harness.ts";

/** 1,000 bytes per second: one byte per millisecond, a burst of 100. */
function slowBucket(): { clock: FakeClock; bucket: TokenBucket } {
  const clock = new FakeClock();
  return { clock, bucket: new TokenBucket(clock, 1000) };
}

test("TokenBucket lets a burst of 100 ms pass without a wait and no more", () => {
  const { bucket } = slowBucket();
  equal(bucket.burstBytes, 100);
  equal(bucket.take(60), undefined);
  equal(bucket.take(40), undefined);
  ok(bucket.take(1) instanceof Promise);
  bucket.close();
});

test("TokenBucket saves up no more than its burst", async () => {
  const { clock, bucket } = slowBucket();
  await clock.advanceSteps(60_000);
  equal(bucket.take(100), undefined);
  ok(bucket.take(1) !== undefined);
  bucket.close();
  equal(clock.pending, 0);
});

test("TokenBucket grants a chunk larger than the burst once it is paid for", async () => {
  const { clock, bucket } = slowBucket();
  let granted = false;
  bucket.take(1100)?.then(() => granted = true);
  await clock.advanceSteps(999, 37);
  equal(granted, false);
  await clock.advanceSteps(2);
  equal(granted, true);
  equal(clock.pending, 0);
});

test("TokenBucket serves first come first served, small chunks do not overtake", async () => {
  const { clock, bucket } = slowBucket();
  bucket.take(100);
  const order: string[] = [];
  bucket.take(90)?.then(() => order.push("large"));
  bucket.take(1)?.then(() => order.push("small"));
  await clock.advanceSteps(200, 5);
  equal(order.join(), "large,small");
});

test("TokenBucket.forget resumes the reads of one owner and keeps the turn of the others", async () => {
  const { clock, bucket } = slowBucket();
  const gone = {};
  const order: string[] = [];
  bucket.take(100);
  bucket.take(5000, gone)?.then(() => order.push("gone"));
  bucket.take(50, {})?.then(() => order.push("kept"));
  bucket.forget(gone);
  await clock.advanceSteps(1);
  equal(order.join(), "gone");
  await clock.advanceSteps(50);
  equal(order.join(), "gone,kept");
  equal(clock.pending, 0);
});

test("TokenBucket.close resumes everyone and limits nothing afterwards", async () => {
  const { clock, bucket } = slowBucket();
  const waiting = bucket.take(1_000_000);
  bucket.close();
  bucket.close();
  await waiting;
  equal(bucket.take(1_000_000), undefined);
  equal(clock.pending, 0);
});

test("TokenBucket refuses a rate that is not positive", () => {
  throws(() => new TokenBucket(new FakeClock(), 0), RangeError);
});

test("TokenBucket never passes more than burst + rate x time, and keeps busy sessions level", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1_000, max: 1_000_000_000 }),
      fc.array(fc.integer({ min: 200, max: 1_000 }), { minLength: 2, maxLength: 6 }),
      fc.integer({ min: 5, max: 40 }),
      async (rate, shares, stepMs) => {
        const clock = new FakeClock();
        const bucket = new TokenBucket(clock, rate);
        const passed = shares.map(() => 0);
        let running = true;
        let total = 0;
        // Every session asks again as soon as it was served, with its own chunk size up to the burst.
        const sessions = shares.map(async (share, index) => {
          const chunk = Math.max(1, Math.floor(bucket.burstBytes * share / 1_000));
          while (running) {
            await (bucket.take(chunk) ?? Promise.resolve());
            if (!running) break;
            total += chunk;
            passed[index] = (passed[index] ?? 0) + 1;
            ok(total <= bucket.burstBytes + rate * clock.now() / 1000 + 1e-3);
          }
        });
        await clock.advanceSteps(150, stepMs);
        const afterBurst = [...passed];
        await clock.advanceSteps(600, stepMs);
        const gained = passed.map((count, index) => count - (afterBurst[index] ?? 0));
        running = false;
        bucket.close();
        await Promise.all(sessions);
        // Once the burst is spent, sessions take turns whatever the size of their chunks.
        ok(Math.max(...gained) - Math.min(...gained) <= 1, gained.join());
        ok(Math.max(...gained) > 0);
      },
    ),
    { numRuns: 15 },
  );
});
