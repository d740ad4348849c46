/**
 * A composition on a database, with what it needs of Core.
 *
 * @module
 */
import { createComposition } from "../../src/core/composition/composition.ts";
import type { Composition } from "../../src/core/composition/types.ts";
import type { NewEvent } from "../../src/core/events/types.ts";
import type { CoreParts } from "../../src/core/parts.ts";
import type { Database } from "../../src/core/store/database.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { FakeClock } from "../fake_clock.ts";
import { onEachStore } from "./core_stores.ts";

/** A composition and what is around it. */
export interface ComposedStage {
  readonly composition: Composition;
  readonly db: Database;
  readonly clock: FakeClock;
  readonly events: NewEvent[];
  readonly parts: CoreParts;
  close(): Promise<void>;
}

/** Opens one. */
export async function composedStage(db: Database): Promise<ComposedStage> {
  const clock = new FakeClock();
  const real = await detectRuntime();
  const runtime = { ...real, clock };
  const events: NewEvent[] = [];
  const parts = {
    runtime,
    logger: silentLogger,
    db,
    events: {
      emit: (_: Database, happened: NewEvent | readonly NewEvent[]) =>
        Promise.resolve(void events.push(...[happened].flat())),
      subscribe: () => () => {},
      close: () => Promise.resolve(),
    },
    jobs: { every: () => {}, close: () => Promise.resolve() },
    metrics: { count: () => {}, observe: () => {}, gauge: () => {}, text: () => "" },
  } as unknown as CoreParts;
  const composition = createComposition(parts);
  return {
    composition,
    db,
    clock,
    events,
    parts,
    close: () => composition.close(),
  };
}

/** A test with a composition of its own. */
export function composedTest(name: string, run: (stage: ComposedStage) => Promise<void>): void {
  onEachStore(name, async (db) => {
    const stage = await composedStage(db);
    try {
      await run(stage);
    } finally {
      await stage.close();
    }
  });
}

/** Makes a node; its id. */
export async function addNode(db: Database, code: string): Promise<number> {
  const [row] = await db.query(
    `INSERT INTO nodes (code, name, ip, port, region, created_at, updated_at)
      VALUES ($1, $1, '203.0.113.7', 8080, 'eu', 0, 0) RETURNING id`,
    [code],
  );
  return Number(row?.id);
}

/** Makes an inbound of a node; its id. */
export async function addProtocol(
  db: Database,
  nodeId: number,
  protocol: string,
  settings: object,
  tag: string = `${protocol}-443`,
): Promise<number> {
  const service = protocol === "mtproto" ? "mtproto" : "xray";
  const [row] = await db.query(
    `INSERT INTO node_protocols (node_id, service, protocol, tag, settings, created_at, updated_at)
      VALUES ($1, $2, $3, $4, $5, 0, 0) RETURNING id`,
    [nodeId, service, protocol, tag, JSON.stringify(settings)],
  );
  return Number(row?.id);
}

/** Makes a user with a subscription; both ids. */
export async function addUser(db: Database, name: string): Promise<[userId: number, subscriptionId: number]> {
  const [user] = await db.query("INSERT INTO users (name, created_at, updated_at) VALUES ($1, 0, 0) RETURNING id", [
    name,
  ]);
  const [subscription] = await db.query(
    "INSERT INTO subscriptions (user_id, period_started_at, created_at, updated_at) VALUES ($1, 0, 0, 0) RETURNING id",
    [Number(user?.id)],
  );
  return [Number(user?.id), Number(subscription?.id)];
}

/** Makes a link: on the named protocols, or everywhere. */
export async function addLink(
  db: Database,
  uuid: string,
  [userId, subscriptionId]: readonly [number, number | null],
  where: readonly number[] | "everywhere",
  kind: "xray" | "mtproto" = "xray",
): Promise<void> {
  await db.exec(
    `INSERT INTO subscription_links (uuid, user_id, subscription_id, kind, everywhere, created_at, updated_at)
      VALUES ($1, $2, $3, $4, $5, 0, 0)`,
    [uuid, userId, subscriptionId, kind, where === "everywhere" ? 1 : 0],
  );
  if (where === "everywhere") return;
  for (const id of where) {
    await db.exec("INSERT INTO link_protocols (uuid, node_protocol_id) VALUES ($1, $2)", [uuid, id]);
  }
}
