/**
 * Values that die by themselves, in Redis: replicas of Core see the same ones.
 *
 * @module
 */
import type { ChainableCommander, Redis } from "ioredis";
import { messageOf } from "../../errors.ts";
import type { Logger } from "../../log/types.ts";
import { Failure } from "../failure.ts";
import type { EphemeralEntry, EphemeralStore } from "./types.ts";

const CONNECT_MS = 5_000;
const COMMAND_MS = 5_000;
const LONGEST_RETRY_MS = 2_000;
/** A hint to Redis: about as many keys in one page of a scan. */
const PAGE = 1_000;
/** Commands that travel in one go. */
const BATCH = 5_000;
const RETRY_AFTER_MS = 1_000;

/**
 * Keys in Redis.
 *
 * @param url `redis://[user:password@]host:port[/database]`, `rediss://...` or `unix:/path`
 * @throws {Failure} `STORE_UNAVAILABLE` when it cannot be reached now; later failures are said once and mended alone
 */
export async function createRedisStore(url: string, logger: Logger): Promise<EphemeralStore> {
  const { Redis: Client } = await import("ioredis");
  let reached = false;
  const options = {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    commandTimeout: COMMAND_MS,
    // A call says at once that the store is down: it is the caller who repeats it.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (tries: number) => reached ? Math.min(LONGEST_RETRY_MS, 50 * 2 ** Math.min(tries, 8)) : null,
  };
  const client = url.startsWith("unix:") ? new Client({ ...options, path: url.slice(5) }) : new Client(url, options);
  let down = false;
  client.on("error", (error: unknown) => {
    if (!down) logger.error("Redis cannot be reached", { reason: messageOf(error) });
    down = true;
  });
  client.on("ready", () => {
    if (down) logger.info("Redis can be reached again");
    down = false;
  });
  try {
    await client.connect();
    reached = true;
  } catch (error) {
    if (client.status !== "end") client.disconnect();
    throw unavailable(error);
  }
  return new RedisStore(client);
}

class RedisStore implements EphemeralStore {
  readonly #client: Redis;
  #closed = false;

  constructor(client: Redis) {
    this.#client = client;
  }

  setEx(key: string, value: string, ttlS: number): Promise<string | null> {
    return guarded(() => this.#client.set(key, value, "EX", ttlS, "GET"));
  }

  async setExMany(entries: readonly EphemeralEntry[]): Promise<(string | null)[]> {
    return await this.#inBatches(entries, (pipeline, { key, value, ttlS }) => {
      pipeline.set(key, value, "EX", ttlS, "GET");
    });
  }

  get(key: string): Promise<string | null> {
    return guarded(() => this.#client.get(key));
  }

  async getMany(keys: readonly string[]): Promise<(string | null)[]> {
    return await this.#inBatches(keys, (pipeline, key) => {
      pipeline.get(key);
    });
  }

  async scan(prefix: string, cursor: string | null): Promise<{ keys: string[]; cursor: string | null }> {
    const pattern = `${prefix.replace(/[\\*?[\]]/g, "\\$&")}*`;
    const [next, keys] = await guarded(() => this.#client.scan(cursor ?? "0", "MATCH", pattern, "COUNT", PAGE));
    return { keys, cursor: next === "0" ? null : next };
  }

  async count(prefix: string): Promise<number> {
    // A scan may give a key twice while the table grows.
    const seen = new Set<string>();
    let cursor: string | null = null;
    do {
      const page: { keys: string[]; cursor: string | null } = await this.scan(prefix, cursor);
      for (const key of page.keys) seen.add(key);
      cursor = page.cursor;
    } while (cursor !== null);
    return seen.size;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#client.quit().catch(() => this.#client.disconnect());
  }

  async #inBatches<T>(
    items: readonly T[],
    add: (pipeline: ChainableCommander, item: T) => void,
  ): Promise<(string | null)[]> {
    const answers: (string | null)[] = [];
    for (let start = 0; start < items.length; start += BATCH) {
      const pipeline = this.#client.pipeline();
      for (const item of items.slice(start, start + BATCH)) add(pipeline, item);
      const results = await guarded(() => pipeline.exec());
      for (const [error, value] of results ?? []) {
        if (error !== null) throw unavailable(error);
        answers.push(value as string | null);
      }
    }
    return answers;
  }
}

async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw unavailable(error);
  }
}

function unavailable(error: unknown): Failure {
  return new Failure("STORE_UNAVAILABLE", "Redis cannot be reached", { cause: error, retryAfterMs: RETRY_AFTER_MS });
}
