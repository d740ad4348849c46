/**
 * Which users a node may speak of: those that it was sent.
 *
 * @module
 */
import type { OnlineUser } from "../contract/types.ts";
import type { CoreParts } from "../parts.ts";
import { type Database, num } from "../store/database.ts";

/** Answers are believed this long: a user who is deleted is spoken of no longer than this. */
const BELIEVED_MS = 60_000;
/** Remembered pairs of all nodes: above it those that were asked for first are forgotten. */
const MOST_PAIRS = 2_000_000;

/** Pairs of one node, each as `protocol:user`. */
interface Believed {
  readonly names: Set<string>;
  /** Clock ms. */
  readonly until: number;
}

/** Pairs of users and protocols, by node. */
export class Belonging {
  readonly #parts: Pick<CoreParts, "runtime" | "db" | "metrics">;
  /** About the one that was asked for first at the front. */
  readonly #believed = new Map<number, Believed>();
  #pairs = 0;

  /** Knows nothing yet. */
  constructor(parts: Pick<CoreParts, "runtime" | "db" | "metrics">) {
    this.#parts = parts;
  }

  /** Those that are of this node; what a node says of others is counted and left out. */
  async of(nodeId: number, users: readonly OnlineUser[]): Promise<readonly OnlineUser[]> {
    const { names } = this.#believedOf(nodeId);
    const asked = users.filter((user) => !names.has(nameOf(user)));
    if (asked.length === 0) return users;
    const found = await this.#ask(nodeId, asked);
    const before = names.size;
    for (const name of found) names.add(name);
    if (this.#believed.get(nodeId)?.names === names) this.#pairs += names.size - before;
    const own = users.filter((user) => names.has(nameOf(user)));
    if (own.length < users.length) this.#parts.metrics.count("core_foreign_users_total", users.length - own.length);
    return own;
  }

  #believedOf(nodeId: number): Believed {
    const { clock, random } = this.#parts.runtime;
    const now = clock.now();
    const known = this.#believed.get(nodeId);
    if (known !== undefined && known.until > now) return known;
    this.#forget(nodeId);
    for (const [oldest, { until }] of this.#believed) {
      if (until > now && this.#pairs <= MOST_PAIRS) break;
      this.#forget(oldest);
    }
    // A fleet that came back at once would ask at once again, each time.
    const fresh = { names: new Set<string>(), until: now + BELIEVED_MS * (1 + random.fraction()) / 2 };
    this.#believed.set(nodeId, fresh);
    return fresh;
  }

  #forget(nodeId: number): void {
    this.#pairs -= this.#believed.get(nodeId)?.names.size ?? 0;
    this.#believed.delete(nodeId);
  }

  async #ask(nodeId: number, users: readonly OnlineUser[]): Promise<string[]> {
    const { db } = this.#parts;
    const rows = await askOf(db, nodeId, users);
    return rows.map((row) => `${num(row.node_protocol_id)}:${num(row.user_id)}`);
  }
}

function askOf(db: Database, nodeId: number, users: readonly OnlineUser[]) {
  const [protocols, ids] = [users.map(({ nodeProtocolId }) => nodeProtocolId), users.map(({ userId }) => userId)];
  if (db.dialect === "postgres") {
    return db.query(
      `SELECT DISTINCT p.node_protocol_id, p.user_id
       FROM unnest($2::bigint[], $3::bigint[]) AS d (protocol_id, user_id)
       JOIN delivered_pairs p ON p.node_id = $1 AND p.node_protocol_id = d.protocol_id AND p.user_id = d.user_id
       JOIN users u ON u.id = p.user_id`,
      [nodeId, protocols, ids],
    );
  }
  // A cross join keeps this order: SQLite would rather read the list again for every pair.
  return db.query(
    `SELECT DISTINCT p.node_protocol_id, p.user_id
     FROM json_each($2) d
     CROSS JOIN delivered_pairs p
       ON p.node_id = $1 AND p.node_protocol_id = json_extract(d.value, '$[0]')
         AND p.user_id = json_extract(d.value, '$[1]')
     CROSS JOIN users u ON u.id = p.user_id`,
    [nodeId, JSON.stringify(protocols.map((protocol, index) => [protocol, ids[index]]))],
  );
}

function nameOf({ nodeProtocolId, userId }: OnlineUser): string {
  return `${nodeProtocolId}:${userId}`;
}
