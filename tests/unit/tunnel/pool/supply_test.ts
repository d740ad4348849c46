import fc from "fast-check";
import { Supply, type SupplyOptions } from "../../../../src/tunnel/pool/supply.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { deepEqual, equal, ok, test } from "../../../harness.ts";

/** A supply whose links open when the test says so. */
function setUp(change: Partial<SupplyOptions> = {}) {
  const clock = new FakeClock();
  const world = { ready: 0, opened: 0, failures: [] as unknown[] };
  const opening: PromiseWithResolvers<void>[] = [];
  const supply = new Supply({
    clock,
    random: { bytes: (count) => new Uint8Array(count), fraction: () => 1 },
    minReady: 2,
    maxReady: 20,
    intervalMs: 1_000,
    ready: () => world.ready,
    open: () => {
      world.opened++;
      const link = Promise.withResolvers<void>();
      opening.push(link);
      return link.promise;
    },
    onFailure: (error) => world.failures.push(error),
    ...change,
  });
  const succeed = async (count = opening.length): Promise<void> => {
    for (const link of opening.splice(0, count)) {
      world.ready++;
      link.resolve();
    }
    await turn();
  };
  const fail = async (count = opening.length): Promise<void> => {
    for (const link of opening.splice(0, count)) link.reject(new Error("no way"));
    await turn();
  };
  return { clock, world, opening, supply, succeed, fail };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

test("Supply keeps the minimum ready and replaces what was taken", async () => {
  const { supply, opening, world, succeed, clock } = setUp();
  supply.start();
  equal(opening.length, 2);
  await succeed();
  deepEqual([opening.length, world.ready], [0, 2]);
  world.ready = 1;
  supply.fill();
  equal(opening.length, 1);
  await succeed();
  world.ready = 0;
  clock.advance(1_000);
  equal(opening.length, 2);
  supply.stop();
  await succeed();
  equal(clock.pending, 0);
});

test("Supply opens at most 8 links at once and goes on as they open", async () => {
  const { supply, opening, world, succeed } = setUp({ minReady: 20 });
  supply.start();
  equal(opening.length, 8);
  await succeed(3);
  equal(opening.length, 8);
  await succeed();
  equal(opening.length, 8);
  await succeed();
  await succeed();
  deepEqual([world.ready, world.opened], [20, 20]);
  supply.stop();
});

test("Supply opens for visitors that wait, up to the maximum, and forgets them after a second", async () => {
  const { supply, world, succeed, clock } = setUp({ maxReady: 10, intervalMs: 100 });
  supply.start();
  await succeed();
  supply.demand(1_000);
  for (let round = 0; round < 5; round++) await succeed();
  deepEqual([world.ready, world.opened], [10, 10]);
  clock.advance(1_100);
  world.ready = 3;
  supply.fill();
  equal(world.opened, 10);
  world.ready = 1;
  supply.fill();
  equal(world.opened, 11);
  supply.stop();
  await succeed();
});

test("Supply pauses after a failure, longer each time, and says it once", async () => {
  const { supply, world, fail, succeed, opening, clock } = setUp({ minReady: 1, intervalMs: 60_000 });
  supply.start();
  const pauses: number[] = [];
  for (let attempt = 0; attempt < 9; attempt++) {
    await fail();
    supply.fill();
    equal(opening.length, 0, "it pauses");
    const from = clock.now();
    while (opening.length === 0) clock.advance(50);
    pauses.push(clock.now() - from);
  }
  deepEqual(pauses, [100, 100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
  equal(world.failures.length, 1);
  await succeed();
  world.ready = 0;
  supply.fill();
  await fail();
  equal(world.failures.length, 2);
  equal(clock.pending, 2);
  supply.stop();
  equal(clock.pending, 0);
});

test("Supply counts a burst of failures as one", async () => {
  const { supply, opening, world, fail, clock } = setUp({ minReady: 8, intervalMs: 60_000 });
  supply.start();
  await fail();
  deepEqual([world.failures.length, opening.length], [1, 0]);
  clock.advance(100);
  equal(opening.length, 8);
  supply.stop();
  await fail();
});

test("Supply opens nothing between stop and start, and at once after start", async () => {
  const { supply, opening, fail, succeed, clock } = setUp();
  supply.start();
  await fail();
  supply.stop();
  supply.demand(5);
  clock.advance(60_000);
  equal(opening.length, 0);
  supply.start();
  equal(opening.length, 2);
  await succeed();
  supply.stop();
  equal(clock.pending, 0);
});

test("Supply stays within its bounds and fills up in the end, whatever happens", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("succeed" as const), count: fc.nat(8) }),
    fc.record({ kind: fc.constant("fail" as const), count: fc.nat(8) }),
    fc.record({ kind: fc.constant("take" as const), count: fc.nat(10) }),
    fc.record({ kind: fc.constant("demand" as const), count: fc.nat(40) }),
    fc.record({ kind: fc.constant("wait" as const), count: fc.nat(3_000) }),
    fc.record({ kind: fc.constant("restart" as const), count: fc.constant(0) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { supply, opening, world, succeed, fail, clock } = setUp({ minReady: 4, maxReady: 12 });
      supply.start();
      for (const { kind, count } of steps) {
        if (kind === "succeed") await succeed(count);
        else if (kind === "fail") await fail(count);
        else if (kind === "take") world.ready = Math.max(0, world.ready - count);
        else if (kind === "demand") supply.demand(count);
        else if (kind === "wait") clock.advance(count);
        else {
          supply.stop();
          supply.start();
        }
        ok(opening.length <= 8, `${opening.length} at once`);
        ok(world.ready + opening.length <= 12, `${world.ready} ready and ${opening.length} to come`);
      }
      for (let round = 0; round < 10; round++) {
        clock.advance(5_000);
        await succeed();
      }
      ok(world.ready >= 4 && opening.length === 0);
      supply.stop();
      equal(clock.pending, 0);
    }),
    { numRuns: 100 },
  );
});
