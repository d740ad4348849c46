/**
 * Nodes that are heard again: one commit for those that come at about the same time, as all of a fleet do after an
 * outage. A commit each would take Core longer than the calls themselves.
 *
 * @module
 */
import type { CoreParts } from "../parts.ts";
import { idsAmong, num } from "../store/database.ts";

/** Nodes of one commit. */
const AT_ONCE = 100;

interface Sleeper {
  readonly nodeId: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Brings nodes online. */
export class Waking {
  readonly #parts: Pick<CoreParts, "runtime" | "db" | "events">;
  #waiting: Sleeper[] = [];

  constructor(parts: Pick<CoreParts, "runtime" | "db" | "events">) {
    this.#parts = parts;
  }

  /** Resolves when the node is not offline any more; whoever was gets one event. */
  wake(nodeId: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const count = this.#waiting.push({ nodeId, resolve, reject });
      if (count === 1) this.#parts.runtime.clock.soon(() => void this.#run());
      else if (count === AT_ONCE) void this.#run();
    });
  }

  async #run(): Promise<void> {
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    try {
      await this.#write([...new Set(group.map(({ nodeId }) => nodeId))].sort((a, b) => a - b));
      for (const { resolve } of group) resolve();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  async #write(nodeIds: readonly number[]): Promise<void> {
    const { runtime: { clock }, db, events } = this.#parts;
    const at = Math.floor(clock.wall());
    await db.transaction(async (tx) => {
      const { among, param } = idsAmong(tx, 1, nodeIds);
      const woken = await tx.query<{ id: bigint }>(
        `UPDATE nodes SET status = 'online', last_seen_at = $2, updated_at = $2
         WHERE status = 'offline' AND id ${among} RETURNING id`,
        [param, at],
      );
      await events.emit(tx, woken.map(({ id }) => ({ type: "node.online" as const, nodeId: num(id), data: {} })));
    });
  }
}
