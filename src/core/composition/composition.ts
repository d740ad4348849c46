/**
 * Configurations of all nodes: composed when something changes, followed until they are applied.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import type { Timer } from "../../runtime/types.ts";
import { Failure } from "../failure.ts";
import type { CoreParts } from "../parts.ts";
import { type Database, num } from "../store/database.ts";
import type { ConfigBody } from "./body.ts";
import { BodyCache } from "./body_cache.ts";
import { PAIR_REFRESH_MS, refreshPairs, storePairs } from "./delivery.ts";
import { composeMarked, reissue } from "./issue.ts";
import { Pace } from "./pace.ts";
import { listRevisions, loadRevision, type NodePlace, readPlace, ROLLBACK } from "./snapshots.ts";
import type { ChangeScope, Composition, LatestConfig, Revision } from "./types.ts";
export type * from "./types.ts";

/** Changes in a row become one revision. */
const DEBOUNCE_MS = 1_000;
/** How often marks are looked for that another replica, or a run before this one, left behind. */
const SWEEP_MS = 5_000;
/** Configurations that are composed, and nodes that are told to fetch theirs, in a second. */
export const BUILDS_PER_SECOND = 200;
/** Nodes that are composed in one transaction at most: they share what they have in common. */
const BATCH = 20;
/** About how long others wait for such a transaction. */
const BATCH_MS = 100;
/** Marks that are read at once. */
const MARKS = 500;

/** Options of {@linkcode createComposition}. */
export interface CompositionOptions {
  /** @default 1 second */
  readonly debounceMs?: number;
  /** @default BUILDS_PER_SECOND */
  readonly buildsPerSecond?: number;
}

/** Makes the composition of a Core. */
export function createComposition(parts: CoreParts, options: CompositionOptions = {}): Composition {
  return new Composer(parts, options);
}

class Composer implements Composition {
  readonly #parts: CoreParts;
  readonly #cache = new BodyCache();
  readonly #debounceMs: number;
  readonly #builds: Pace;
  readonly #calls: Pace;
  #timer: Timer | null = null;
  /** Marks that the database has not taken yet. */
  #unmarked: Set<number> | "all" = new Set();
  /** Marks on their way to the database. */
  #marking: Promise<void> = Promise.resolve();
  #flushing: Promise<void> | null = null;
  #again = false;
  #batch = BATCH;
  #closed = false;

  constructor(parts: CoreParts, { debounceMs = DEBOUNCE_MS, buildsPerSecond = BUILDS_PER_SECOND }: CompositionOptions) {
    this.#parts = parts;
    this.#debounceMs = debounceMs;
    this.#builds = new Pace(parts.runtime.clock, buildsPerSecond);
    this.#calls = new Pace(parts.runtime.clock, buildsPerSecond);
    parts.jobs.every("composition.sweep", SWEEP_MS, () => this.flush(), { due: () => this.#due() });
    parts.jobs.every("composition.pairs", PAIR_REFRESH_MS / 4, (signal) => refreshPairs(parts, signal));
  }

  async #due(): Promise<boolean> {
    if (this.#unmarked === "all" || this.#unmarked.size > 0) return true;
    return (await this.#parts.db.query("SELECT 1 FROM nodes WHERE config_dirty = 1 LIMIT 1")).length > 0;
  }

  changed(scope: ChangeScope): void {
    this.#remember(scope);
    // Stored at once: within the pause a crash must not lose it.
    this.#storeMarks().catch((error) => this.#warn("Changed assignments could not be marked", error));
    if (this.#closed || this.#timer !== null) return;
    this.#timer = this.#parts.runtime.clock.after(this.#debounceMs, () => {
      this.#timer = null;
      this.flush().catch((error) => this.#warn("Configurations could not be composed", error));
    });
  }

  async mark(tx: Database, scope: ChangeScope): Promise<void> {
    if (scope === "all") {
      await tx.exec("UPDATE nodes SET config_dirty = 1 WHERE config_dirty = 0");
      return;
    }
    for (let at = 0; at < scope.nodeIds.length; at += MARKS) {
      const ids = scope.nodeIds.slice(at, at + MARKS);
      const some = ids.map((_, index) => `$${index + 1}`).join(", ");
      await tx.exec(`UPDATE nodes SET config_dirty = 1 WHERE config_dirty = 0 AND id IN (${some})`, ids);
    }
  }

  /** Resolves when those that are on their way are stored, too: whoever looks next must find all of them. */
  #storeMarks(): Promise<void> {
    const before = this.#marking.catch(() => {});
    return this.#marking = before.then(() => this.#storeWaitingMarks());
  }

  async #storeWaitingMarks(): Promise<void> {
    const unmarked = this.#unmarked;
    if (unmarked !== "all" && unmarked.size === 0) return;
    const scope = unmarked === "all" ? "all" : { nodeIds: [...unmarked] };
    this.#unmarked = new Set();
    try {
      await this.mark(this.#parts.db, scope);
    } catch (error) {
      this.#remember(scope);
      throw error;
    }
  }

  #remember(scope: ChangeScope): void {
    if (scope === "all") this.#unmarked = "all";
    if (scope === "all" || this.#unmarked === "all") return;
    for (const id of scope.nodeIds) this.#unmarked.add(id);
  }

  flush(): Promise<void> {
    if (this.#flushing !== null) {
      this.#again = true;
      return this.#flushing;
    }
    this.#flushing = this.#flush().finally(() => this.#flushing = null);
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    do {
      this.#again = false;
      await this.#storeMarks();
      for (let after = 0; !this.#closed;) {
        const rows = await this.#parts.db.query(
          `SELECT id FROM nodes WHERE config_dirty = 1 AND id > $1 ORDER BY id LIMIT ${MARKS}`,
          [after],
        );
        const ids = rows.map(({ id }) => num(id));
        if (ids.length === 0) break;
        after = ids.at(-1) ?? after;
        for (let at = 0; at < ids.length && !this.#closed;) {
          const batch = ids.slice(at, at + this.#batch);
          at += batch.length;
          await this.#builds.wait(batch.length);
          await this.#compose(batch);
        }
      }
    } while (this.#again && !this.#closed);
  }

  /** Large configurations go in small batches: everybody else writes in between. */
  async #compose(batch: readonly number[]): Promise<void> {
    const { clock } = this.#parts.runtime;
    const startedAt = clock.now();
    await composeMarked(this.#parts, this.#cache, batch);
    const fitting = Math.floor(batch.length * BATCH_MS / Math.max(1, clock.now() - startedAt));
    this.#batch = Math.min(BATCH, Math.max(1, fitting));
  }

  async latest(
    nodeId: number,
    { agentServices }: { readonly agentServices: readonly string[] },
  ): Promise<LatestConfig> {
    const place = await this.#placeWithBody(nodeId);
    const body = await this.#body(nodeId, place);
    if (place.delivered !== place.desired || (place.syncStatus !== "delivering" && place.syncStatus !== "synced")) {
      await this.#deliver(nodeId, body);
    }
    return agentServices.includes("nodepass") ? body : await body.plain();
  }

  async #placeWithBody(nodeId: number): Promise<NodePlace> {
    const place = await this.#place(nodeId);
    if (place.desired > 0) return place;
    await this.mark(this.#parts.db, { nodeIds: [nodeId] });
    await composeMarked(this.#parts, this.#cache, [nodeId]);
    return await this.#place(nodeId);
  }

  async #place(nodeId: number): Promise<NodePlace> {
    const place = await readPlace(this.#parts.db, nodeId);
    if (place === null) throw new Failure("NOT_FOUND", `No node ${nodeId}`);
    return place;
  }

  async #body(nodeId: number, { desired }: NodePlace): Promise<ConfigBody> {
    const known = this.#cache.body(nodeId, desired);
    if (known !== null) return known;
    const loaded = await loadRevision(this.#parts.db, nodeId, desired);
    if (loaded === null) throw new Failure("INTERNAL", `Revision ${desired} of node ${nodeId} is not stored`);
    this.#cache.keep(nodeId, loaded.body);
    return loaded.body;
  }

  async #deliver(nodeId: number, body: ConfigBody): Promise<void> {
    const { db, runtime } = this.#parts;
    const now = Math.floor(runtime.clock.wall());
    await db.transaction(async (tx) => {
      await storePairs(tx, nodeId, body.config, now);
      await tx.exec(
        `UPDATE nodes SET delivered_revision = $2, delivered_at = $3, sync_status = 'delivering'
          WHERE id = $1 AND desired_revision = $2`,
        [nodeId, body.revision, now],
      );
    });
  }

  async heartbeat(nodeId: number, revision: number | null, hash: string | null): Promise<{ needSync: boolean }> {
    const place = await this.#place(nodeId);
    if (place.desired === 0) {
      this.changed({ nodeIds: [nodeId] });
      return { needSync: true };
    }
    if (revision !== null && revision > place.desired) {
      // Core was restored from a backup: this number once stood for something else, so it is left behind.
      const body = await reissue(this.#parts, nodeId, null, revision, "node was ahead");
      if (body !== null) this.#cache.keep(nodeId, body);
      this.changed({ nodeIds: [nodeId] });
      return { needSync: true };
    }
    const same = revision === place.desired && (hash === null || await this.#hasHash(nodeId, place, hash));
    return { needSync: !same && this.#calls.take() };
  }

  async #hasHash(nodeId: number, place: NodePlace, hash: string): Promise<boolean> {
    if (hash.length >= 16 && place.hash?.startsWith(hash.toLowerCase()) === true) return true;
    const body = await this.#body(nodeId, place);
    return body.hasHash(hash) || (await body.plain()).hasHash(hash);
  }

  async applied(nodeId: number, revision: number): Promise<void> {
    const { db, events } = this.#parts;
    await db.transaction(async (tx) => {
      const place = await readPlace(tx, nodeId, true);
      if (place === null) throw new Failure("NOT_FOUND", `No node ${nodeId}`);
      if (revision > place.desired) {
        throw new Failure("REVISION_AHEAD", `Revision ${revision} was not issued: the latest is ${place.desired}`);
      }
      if (revision < place.desired) {
        await tx.exec("UPDATE nodes SET applied_revision = $2 WHERE id = $1", [nodeId, revision]);
        return;
      }
      if (place.syncStatus === "synced" && place.applied === revision) return;
      await tx.exec(
        `UPDATE nodes SET applied_revision = $2, applied_hash = config_hash, sync_status = 'synced', error_from_sync = 0,
          status = CASE WHEN status = 'error' AND error_from_sync = 1 THEN 'online' ELSE status END
          WHERE id = $1`,
        [nodeId, revision],
      );
      await events.emit(tx, { type: "node.synced", nodeId, data: { revision } });
    });
  }

  async failed(nodeId: number): Promise<void> {
    const { db, events } = this.#parts;
    await db.transaction(async (tx) => {
      const place = await readPlace(tx, nodeId, true);
      if (place === null) throw new Failure("NOT_FOUND", `No node ${nodeId}`);
      if (place.syncStatus === "failed") return;
      await tx.exec("UPDATE nodes SET sync_status = 'failed' WHERE id = $1", [nodeId]);
      await events.emit(tx, { type: "node.sync_failed", nodeId, data: { revision: place.desired } });
    });
  }

  async rollback(nodeId: number, revision: number): Promise<number> {
    return await this.#reissue(nodeId, revision, `${ROLLBACK}${revision}`);
  }

  async resync(nodeId: number): Promise<number> {
    await this.#placeWithBody(nodeId);
    return await this.#reissue(nodeId, null, "resync");
  }

  async #reissue(nodeId: number, source: number | null, reason: string): Promise<number> {
    await this.#place(nodeId);
    const body = await reissue(this.#parts, nodeId, source, 0, reason);
    if (body === null) throw new Failure("NOT_FOUND", `No revision ${source} of node ${nodeId}`);
    this.#cache.keep(nodeId, body);
    return body.revision;
  }

  async revisions(nodeId: number): Promise<Revision[]> {
    return await listRevisions(this.#parts.db, nodeId);
  }

  async revision(nodeId: number, revision: number): Promise<Revision & { config: LatestConfig["config"] } | null> {
    const found = await loadRevision(this.#parts.db, nodeId, revision);
    return found === null ? null : { ...found.about, config: found.body.config };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#builds.close();
    await this.#flushing?.catch(() => {});
    await this.#marking.catch(() => {});
  }

  #warn(what: string, error: unknown): void {
    this.#parts.logger.warn(what, { reason: messageOf(error) });
  }
}
