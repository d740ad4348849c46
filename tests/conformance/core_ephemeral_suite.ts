/**
 * What every store of values that die by themselves does.
 *
 * @module
 */
import type { EphemeralStore } from "../../src/core/ephemeral/types.ts";
import { deepEqual, equal, ok, test } from "../harness.ts";

/** Runs a test with an empty store; `pass` lets time go by. */
export type WithStore = (
  run: (store: EphemeralStore, pass: (ms: number) => Promise<void>) => Promise<void>,
) => Promise<void>;

/** The suite for one kind of store. */
export function ephemeralSuite(name: string, withStore: WithStore, skip?: string): void {
  const check = (title: string, run: Parameters<WithStore>[0]): void =>
    test(`EphemeralStore ${name}: ${title}`, () => withStore(run), skip === undefined ? {} : { skip });

  check("setEx gives what was there before", async (store) => {
    equal(await store.setEx("online:user:1", "10", 20), null);
    equal(await store.setEx("online:user:1", "20", 20), "10");
    equal(await store.get("online:user:1"), "20");
    equal(await store.get("online:user:2"), null);
  });

  check("setExMany answers in order, also for a key that comes twice", async (store) => {
    await store.setEx("a:2", "old", 20);
    const entry = (key: string, value: string) => ({ key, value, ttlS: 20 });
    deepEqual(await store.setExMany([entry("a:1", "x"), entry("a:2", "y"), entry("a:1", "z")]), [null, "old", "x"]);
    deepEqual(await store.getMany(["a:2", "a:9", "a:1"]), ["y", null, "z"]);
    deepEqual(await store.setExMany([]), []);
    deepEqual(await store.getMany([]), []);
  });

  check("a value dies at its time, a new one lives its own", async (store, pass) => {
    await store.setEx("t:short", "1", 1);
    await store.setEx("t:again", "1", 1);
    await store.setEx("t:long", "1", 60);
    await pass(600);
    await store.setEx("t:again", "2", 2);
    equal(await store.get("t:short"), "1");
    await pass(600);
    equal(await store.get("t:short"), null);
    equal(await store.get("t:again"), "2");
    equal(await store.count("t:"), 2);
    equal(await store.setEx("t:short", "3", 1), null);
  });

  check("scan and count see each living key of a prefix once, and no other", async (store) => {
    const keys = Array.from({ length: 2_500 }, (_, index) => `online:inbound:7:user:${index}`);
    await store.setExMany(keys.map((key) => ({ key, value: "1", ttlS: 20 })));
    await store.setEx("online:inbound:77:user:1", "1", 20);
    await store.setEx("online:inbound:*:user:1", "1", 20);
    equal(await store.count("online:inbound:7:user:"), 2_500);
    equal(await store.count("online:inbound:*:user:"), 1);
    equal(await store.count("online:inbound:"), 2_502);
    const seen = new Set<string>();
    let cursor: string | null = null;
    let pages = 0;
    do {
      const page: { keys: string[]; cursor: string | null } = await store.scan("online:inbound:7:user:", cursor);
      for (const key of page.keys) seen.add(key);
      cursor = page.cursor;
      pages++;
      // Keys that come and go meanwhile hide none of those that stay.
      await store.setEx(`online:inbound:8:user:${pages}`, "1", 20);
    } while (cursor !== null);
    ok(pages > 1);
    equal(seen.size, 2_500);
  });
}
