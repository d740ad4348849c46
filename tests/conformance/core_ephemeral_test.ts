/** The stores of values that die by themselves: memory, and a real Redis. */
import { createMemoryStore } from "../../src/core/ephemeral/memory.ts";
import { createRedisStore } from "../../src/core/ephemeral/redis.ts";
import { isFailure } from "../../src/core/failure.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { redisMissing, redisServer } from "../core_servers.ts";
import { FakeClock } from "../fake_clock.ts";
import { equal, ok, rejects, test } from "../harness.ts";
import { ephemeralSuite } from "./core_ephemeral_suite.ts";

ephemeralSuite("in memory", async (run) => {
  const clock = new FakeClock();
  const store = createMemoryStore({ clock });
  try {
    await run(store, (ms) => Promise.resolve(clock.advance(ms)));
  } finally {
    await store.close();
  }
});

const skip = redisMissing();

ephemeralSuite("in Redis", async (run) => {
  const server = await redisServer();
  const store = await createRedisStore(server.url, silentLogger);
  try {
    await run(store, (ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  } finally {
    await store.close();
    await server.close();
  }
}, skip);

test("EphemeralStore in Redis: says at once that Redis is away, and goes on when it is back", async () => {
  const server = await redisServer();
  const store = await createRedisStore(server.url, silentLogger);
  try {
    await store.setEx("a:1", "1", 60);
    await server.kill();
    const began = performance.now();
    await rejects(() => store.get("a:1"), (error: unknown) => isFailure(error, "STORE_UNAVAILABLE"));
    ok(performance.now() - began < 1_000);
    await server.again();
    const until = performance.now() + 10_000;
    for (;;) {
      try {
        await store.setEx("a:2", "2", 60);
        break;
      } catch (error) {
        if (performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    equal(await store.get("a:2"), "2");
  } finally {
    await store.close();
    await server.close();
  }
}, skip === undefined ? {} : { skip });

test("EphemeralStore in Redis: a Redis that is not there is an error at the start", async () => {
  await rejects(
    () => createRedisStore("redis://127.0.0.1:1", silentLogger),
    (error: unknown) => isFailure(error, "STORE_UNAVAILABLE"),
  );
});
