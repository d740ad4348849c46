/**
 * Which nodes are there: their heartbeats, and their silence.
 *
 * @module
 */
import type { CoreParts } from "../parts.ts";
import { audit } from "../audit.ts";
import type { NodeCaller } from "../node_calls.ts";
import { type Database, num, numOrNull } from "../store/database.ts";
import { Waking } from "./waking.ts";

/** A node that says nothing for so long is offline. */
export const SILENCE_MS = 30_000;
/** How often the database learns when nodes were heard. */
const NOTE_MS = 5_000;
const SWEEP_MS = 3_000;
/** Nodes that one transaction changes. */
const AT_ONCE = 500;

/** What this needs of Core. */
export type LivenessParts = Pick<CoreParts, "runtime" | "logger" | "db" | "events" | "jobs">;

/** What is known of a node without asking. */
interface Known {
  ip: string;
  /** What its agent can run, with commas. */
  services: string;
  /** Whether nothing has to be done when it is heard. */
  awake: boolean;
}

/** Listens to nodes. */
export class Liveness {
  readonly #parts: LivenessParts;
  readonly #waking: Waking;
  readonly #startedAt: number;
  readonly #known = new Map<number, Known>();
  /** When nodes were heard, where the database does not know yet. */
  readonly #heard = new Map<number, number>();

  constructor(parts: LivenessParts) {
    const { jobs, runtime: { clock } } = parts;
    this.#parts = parts;
    this.#waking = new Waking(parts);
    this.#startedAt = clock.now();
    jobs.every("nodes.heard", NOTE_MS, () => this.note(), { lease: false });
    // Replicas may sweep at once: each change is made by one of them.
    jobs.every("nodes.silent", SWEEP_MS, () => this.sweep(), { lease: false });
  }

  /** A heartbeat came. @param ip what the node says its address is */
  async heard(caller: NodeCaller, ip: string | undefined): Promise<void> {
    const { nodeId } = caller;
    const known = this.#known.get(nodeId) ?? await this.#load(nodeId);
    if (known === null) return;
    this.#heard.set(nodeId, this.#now());
    if (ip !== undefined && ip !== known.ip) await this.#move(caller, known, ip);
    const services = caller.agentServices.join(",");
    if (services !== known.services) await this.#note(nodeId, known, services);
    if (known.awake) return;
    await this.#waking.wake(nodeId);
    known.awake = true;
  }

  /** Somebody else changed this node. */
  forget(nodeId: number): void {
    this.#known.delete(nodeId);
  }

  /** Tells the database when nodes were heard. */
  async note(): Promise<void> {
    const heard = [...this.#heard].sort(([a], [b]) => a - b);
    if (heard.length === 0) return;
    this.#heard.clear();
    const { db } = this.#parts;
    try {
      await (db.dialect === "postgres" ? noteAtOnce(db, heard) : db.execMany(
        "UPDATE nodes SET last_seen_at = $2 WHERE id = $1 AND (last_seen_at IS NULL OR last_seen_at < $2)",
        heard,
      ));
    } catch (error) {
      for (const [nodeId, at] of heard) if (!this.#heard.has(nodeId)) this.#heard.set(nodeId, at);
      throw error;
    }
    // Another replica may have missed them, or an administrator let them in.
    const asleep = await db.query<{ id: bigint }>(
      "SELECT id FROM nodes WHERE status = 'offline' AND last_seen_at > $1",
      [this.#now() - SILENCE_MS],
    );
    for (const { id } of asleep) this.#known.delete(num(id));
  }

  /** Marks those offline that said nothing for too long: the pause in which Core itself was away does not count. */
  async sweep(): Promise<void> {
    await this.note();
    if (this.#parts.runtime.clock.now() - this.#startedAt < SILENCE_MS) return;
    while (await this.#sweepSome() === AT_ONCE);
  }

  async #sweepSome(): Promise<number> {
    const { db, events } = this.#parts;
    const gone = await db.transaction(async (tx) => {
      const rows = await tx.query<{ id: bigint; last_seen_at: bigint | null }>(
        `UPDATE nodes SET status = 'offline', updated_at = $2 WHERE status = 'online' AND id IN (
           SELECT id FROM nodes WHERE status = 'online' AND (last_seen_at IS NULL OR last_seen_at < $1)
           ORDER BY id LIMIT ${AT_ONCE}
         ) RETURNING id, last_seen_at`,
        [this.#now() - SILENCE_MS, this.#now()],
      );
      await events.emit(
        tx,
        rows.map(({ id, last_seen_at }) => ({
          type: "node.offline" as const,
          nodeId: num(id),
          data: { lastSeenAt: numOrNull(last_seen_at) },
        })),
      );
      return rows.map(({ id }) => num(id));
    });
    for (const nodeId of gone) this.#known.delete(nodeId);
    return gone.length;
  }

  async #load(nodeId: number): Promise<Known | null> {
    const [row] = await this.#parts.db.query<{ ip: string; agent_services: string | null }>(
      "SELECT ip, agent_services FROM nodes WHERE id = $1",
      [nodeId],
    );
    if (row === undefined) return null;
    const known = { ip: row.ip, services: row.agent_services ?? "", awake: false };
    this.#known.set(nodeId, known);
    return known;
  }

  async #note(nodeId: number, known: Known, services: string): Promise<void> {
    await this.#parts.db.exec("UPDATE nodes SET agent_services = $2 WHERE id = $1", [nodeId, services || null]);
    known.services = services;
  }

  async #move({ nodeId, ip: from }: NodeCaller, known: Known, ip: string): Promise<void> {
    const at = this.#now();
    await this.#parts.db.transaction(async (tx) => {
      const changed = await tx.exec("UPDATE nodes SET ip = $2, updated_at = $3 WHERE id = $1 AND ip <> $2", [
        nodeId,
        ip,
        at,
      ]);
      if (changed === 0) return;
      const node = `node:${nodeId}`;
      const details = { from: known.ip, to: ip };
      await audit(tx, { at, actor: node, action: "node.ip_changed", target: node, ip: from, details });
    });
    known.ip = ip;
  }

  #now(): number {
    return Math.floor(this.#parts.runtime.clock.wall());
  }
}

function noteAtOnce(db: Database, heard: readonly (readonly [number, number])[]): Promise<number> {
  return db.exec(
    `UPDATE nodes SET last_seen_at = d.at FROM unnest($1::bigint[], $2::bigint[]) AS d (id, at)
     WHERE nodes.id = d.id AND (nodes.last_seen_at IS NULL OR nodes.last_seen_at < d.at)`,
    [heard.map(([nodeId]) => nodeId), heard.map(([, at]) => at)],
  );
}
