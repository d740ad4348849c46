/**
 * Makes the parts that everything else is made from.
 *
 * @module
 */
import type { Closing } from "./closing.ts";
import { createMemoryStore } from "./ephemeral/memory.ts";
import type { EphemeralStore } from "./ephemeral/types.ts";
import { createEventLog } from "./events/event_log.ts";
import { createJobs } from "./jobs.ts";
import { createMetrics } from "./metrics.ts";
import { type CoreBase, openStore } from "./open_store.ts";
import type { CoreParts } from "./parts.ts";

/** Makes the parts, from the database up. */
export async function assemble(base: CoreBase, closing: Closing): Promise<CoreParts> {
  const store = await openStore(base, closing, true);
  const metrics = createMetrics(base.runtime);
  const ephemeral = await ephemeralOf(base);
  closing.add("ephemeral store", () => ephemeral.close());
  const jobs = createJobs(store);
  const events = createEventLog(store);
  closing.add("events", () => events.close());
  closing.add("jobs", () => jobs.close());
  return { ...store, metrics, ephemeral, jobs, events };
}

async function ephemeralOf({ runtime, logger, settings: { redisUrl } }: CoreBase): Promise<EphemeralStore> {
  if (redisUrl === null) return createMemoryStore(runtime);
  // Loaded where it is needed alone: it asks for permissions of its own.
  return await (await import("./ephemeral/redis.ts")).createRedisStore(redisUrl, logger);
}
