/**
 * Who is connected, on a database in memory: everything real but the clock and where events go.
 *
 * @module
 */
import type { OnlineUser } from "../../../src/core/contract/types.ts";
import { createMemoryStore } from "../../../src/core/ephemeral/memory.ts";
import type { EphemeralStore } from "../../../src/core/ephemeral/types.ts";
import type { NewEvent } from "../../../src/core/events/types.ts";
import type { CoreParts } from "../../../src/core/parts.ts";
import { createPresence, type Presence } from "../../../src/core/presence/presence.ts";
import { type CoreSettings, readCoreSettings } from "../../../src/core/settings.ts";
import type { Database } from "../../../src/core/store/database.ts";
import { silentLogger } from "../../../src/log/silent.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import { FakeClock } from "../../fake_clock.ts";

/** Options of {@linkcode presenceStage}. */
export interface PresenceOptions {
  readonly clock?: FakeClock;
  readonly ephemeral?: EphemeralStore;
  readonly settings?: Partial<CoreSettings>;
  readonly events?: NewEvent[];
}

/** One replica. */
export interface PresenceStage {
  readonly presence: Presence;
  readonly parts: CoreParts;
  readonly clock: FakeClock;
  readonly events: NewEvent[];
  /** Runs a job now. */
  job(name: string): Promise<void>;
  /** Events of a type. */
  of(type: NewEvent["type"]): NewEvent[];
}

/** Makes one on a database. */
export async function presenceStage(db: Database, options: PresenceOptions = {}): Promise<PresenceStage> {
  const clock = options.clock ?? new FakeClock();
  const events = options.events ?? [];
  const jobs = new Map<string, (signal: AbortSignal) => Promise<void>>();
  const parts = {
    runtime: { ...await detectRuntime(), clock },
    logger: silentLogger,
    settings: { ...readCoreSettings(() => undefined), database: { kind: "sqlite", path: "" }, ...options.settings },
    db,
    ephemeral: options.ephemeral ?? createMemoryStore({ clock }),
    events: {
      emit: async (tx: Database, happened: NewEvent | readonly NewEvent[]) => {
        for (const event of [happened].flat()) {
          await tx.exec(
            "INSERT INTO events_outbox (event_id, type, at, node_id, user_id, data) VALUES ($1, $2, $3, $4, $5, '{}')",
            [crypto.randomUUID(), event.type, clock.wall(), event.nodeId ?? null, event.userId ?? null],
          );
          events.push(event);
        }
      },
      subscribe: () => () => {},
      close: () => Promise.resolve(),
    },
    jobs: {
      every: (name: string, _: number, run: (signal: AbortSignal) => Promise<void>) => void jobs.set(name, run),
      close: () => Promise.resolve(),
    },
    metrics: { count: () => {}, observe: () => {}, gauge: () => {}, text: () => "" },
  } as unknown as CoreParts;
  const presence = createPresence(parts);
  return {
    ...{ presence, parts, clock, events },
    job: async (name) => await jobs.get(name)?.(new AbortController().signal),
    of: (type) => events.filter((event) => event.type === type),
  };
}

/** Users 1 to `count`, whom nodes 1 and 2 were sent on protocol 10 times their number. */
export async function addUsers(db: Database, count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  await db.transaction(async (tx) => {
    if (tx.dialect === "postgres") {
      await tx.exec(
        `INSERT INTO users (name, created_at, updated_at) SELECT 'user ' || id, 0, 0 FROM unnest($1::bigint[]) AS t (id)`,
        [ids],
      );
      await tx.exec(
        `INSERT INTO delivered_pairs (node_id, node_protocol_id, user_id, last_delivered_at)
         SELECT n, n * 10, id, 0 FROM unnest($1::bigint[]) AS t (id), unnest(ARRAY[1, 2]) AS s (n)`,
        [ids],
      );
      return;
    }
    await tx.execMany("INSERT INTO users (id, name, created_at, updated_at) VALUES ($1, $2, 0, 0)", [
      ...ids.map((id) => [id, `user ${id}`]),
    ]);
    await tx.execMany(
      "INSERT INTO delivered_pairs (node_id, node_protocol_id, user_id, last_delivered_at) VALUES ($1, $2, $3, 0)",
      ids.flatMap((id) => [[1, 10, id], [2, 20, id]]),
    );
  });
}

/** What a node says of a user. */
export function seen(clock: FakeClock, nodeId: number, userId: number, ...ips: string[]): OnlineUser {
  return { userId, nodeProtocolId: nodeId * 10, ips: ips.map((ip) => ({ ip, lastSeen: clock.wall() })) };
}
