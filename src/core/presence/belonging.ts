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
/** Remembered pairs of all nodes: above it everything is asked for again. */
const MOST_PAIRS = 2_000_000;

/** Pairs of users and protocols, by node. */
export class Belonging {
  readonly #parts: Pick<CoreParts, "runtime" | "db" | "metrics">;
  #believed = new Map<number, Set<string>>();
  #pairs = 0;
  #since: number;

  /** Knows nothing yet. */
  constructor(parts: Pick<CoreParts, "runtime" | "db" | "metrics">) {
    this.#parts = parts;
    this.#since = parts.runtime.clock.now();
  }

  /** Those that are of this node; what a node says of others is counted and left out. */
  async of(nodeId: number, users: readonly OnlineUser[]): Promise<readonly OnlineUser[]> {
    const { runtime: { clock }, metrics } = this.#parts;
    if (clock.now() - this.#since > BELIEVED_MS || this.#pairs > MOST_PAIRS) this.#forgetAll();
    const believed = this.#believed.get(nodeId) ?? new Set<string>();
    const asked = users.filter((user) => !believed.has(nameOf(user)));
    if (asked.length === 0) return users;
    const found = await this.#ask(nodeId, asked);
    for (const name of found) believed.add(name);
    this.#pairs += found.length;
    this.#believed.set(nodeId, believed);
    const own = users.filter((user) => believed.has(nameOf(user)));
    if (own.length < users.length) metrics.count("core_foreign_users_total", users.length - own.length);
    return own;
  }

  #forgetAll(): void {
    this.#believed = new Map();
    this.#pairs = 0;
    this.#since = this.#parts.runtime.clock.now();
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
