/**
 * The simplest form of parts whose own folders are on their way; each goes when its folder is there.
 *
 * @module
 */
import type { OnlineUser, OutboundUsageBatch, UsageBatch } from "./contract/types.ts";
import type { EphemeralStore } from "./ephemeral/types.ts";
import type { CoreEvent, EventLog } from "./events/types.ts";
import type { CoreMetrics } from "./metrics.ts";
import type { CoreBase } from "./open_store.ts";
import { uuidV7 } from "./uuid.ts";

/** Counts nothing. */
export const plainMetrics: CoreMetrics = { count() {}, observe() {}, gauge() {}, text: () => "" };

/** Keys in a map. */
export function plainStore({ runtime: { clock } }: CoreBase): EphemeralStore {
  const values = new Map<string, { value: string; until: number }>();
  const get = (key: string): string | null => {
    const found = values.get(key);
    return found !== undefined && found.until > clock.now() ? found.value : null;
  };
  const setEx: EphemeralStore["setEx"] = (key, value, ttlS) => {
    const before = get(key);
    values.set(key, { value, until: clock.now() + ttlS * 1000 });
    return Promise.resolve(before);
  };
  const keysOf = (prefix: string): string[] => [...values.keys()].filter((key) => key.startsWith(prefix) && get(key));
  return {
    setEx,
    setExMany: (entries) => Promise.all(entries.map(({ key, value, ttlS }) => setEx(key, value, ttlS))),
    get: (key) => Promise.resolve(get(key)),
    getMany: (keys) => Promise.resolve(keys.map(get)),
    scan: (prefix) => Promise.resolve({ keys: keysOf(prefix), cursor: null }),
    count: (prefix) => Promise.resolve(keysOf(prefix).length),
    close: () => Promise.resolve(),
  };
}

/** Writes the outbox, and tells who listens at once. */
export function plainEvents({ runtime: { clock, random } }: CoreBase): EventLog {
  const takers = new Set<(event: CoreEvent) => void>();
  return {
    async emit(tx, event) {
      const at = Math.floor(clock.wall());
      const id = uuidV7(at, random);
      await tx.exec(
        "INSERT INTO events_outbox (event_id, type, at, node_id, user_id, data) VALUES ($1, $2, $3, $4, $5, $6)",
        [id, event.type, at, event.nodeId ?? null, event.userId ?? null, JSON.stringify(event.data)],
      );
      for (const take of takers) take({ ...event, id, at });
    },
    subscribe(take) {
      takers.add(take);
      return () => takers.delete(take);
    },
    close: () => Promise.resolve(),
  };
}

const done = (): Promise<void> => Promise.resolve();

/** Forgets what it is told. */
export const plainUsage = {
  report: (_nodeId: number, _batch: UsageBatch): Promise<void> => done(),
  outbound: (_nodeId: number, _batch: OutboundUsageBatch): Promise<void> => done(),
  close: (): Promise<void> => done(),
};

/** Forgets what it is told. */
export const plainPresence = {
  report: (_nodeId: number, _users: readonly OnlineUser[]): Promise<void> => done(),
  close: (): Promise<void> => done(),
};

/** Forgets what it is told. */
export const plainStats = {
  report: (_nodeId: number, _stats: unknown): Promise<void> => done(),
  close: (): Promise<void> => done(),
};
