/**
 * From where users were seen: new pairs are written at once, times of known ones later.
 *
 * @module
 */
import type { OnlineUser } from "../contract/types.ts";
import type { CoreParts } from "../parts.ts";
import { type Database, num } from "../store/database.ts";

/** Addresses of one user that are known at a time; more of them wait until others were not seen for a while. */
const MOST_KNOWN = 256;
/** What was not seen for so long is asked for again. */
const KNOWN_MS = 600_000;
/** How far back a node may place what it saw. */
const OLDEST_MS = 60_000;
/** Rows that one statement changes. */
const AT_ONCE = 5_000;

/** A pair, and where it was seen. */
export interface SeenAddress {
  readonly userId: number;
  readonly ip: string;
  readonly nodeProtocolId: number;
  readonly seenAt: number;
}

interface Known {
  at: number;
  /** Whether the database does not know `at` yet. */
  changed: boolean;
}

/** Pairs of users and addresses. */
export class Addresses {
  readonly #parts: Pick<CoreParts, "db" | "metrics">;
  readonly #known = new Map<number, Map<string, Known>>();

  /** Knows none yet. */
  constructor(parts: Pick<CoreParts, "db" | "metrics">) {
    this.#parts = parts;
  }

  /** Notes what is known already; the rest comes back, in the order in which everybody writes it. */
  note(users: readonly OnlineUser[], now: number): SeenAddress[] {
    const fresh = new Map<string, SeenAddress>();
    let refused = 0;
    for (const { userId, nodeProtocolId, ips } of users) {
      const known = this.#known.get(userId);
      for (const { ip, lastSeen } of ips) {
        const seenAt = Math.min(now, Math.max(lastSeen, now - OLDEST_MS));
        const before = known?.get(ip);
        if (before === undefined) {
          if ((known?.size ?? 0) >= MOST_KNOWN) refused++;
          else fresh.set(`${userId} ${ip}`, { userId, ip, nodeProtocolId, seenAt });
        } else if (seenAt > before.at) {
          before.at = seenAt;
          before.changed = true;
        }
      }
    }
    if (refused > 0) this.#parts.metrics.count("core_refused_addresses_total", refused);
    return [...fresh.values()].sort((a, b) => a.userId - b.userId || (a.ip < b.ip ? -1 : 1));
  }

  /** Writes pairs; those that nobody had written before come back. */
  async insert(tx: Database, pairs: readonly SeenAddress[], now: number): Promise<SeenAddress[]> {
    const added: SeenAddress[] = [];
    for (let start = 0; start < pairs.length; start += AT_ONCE) {
      const some = pairs.slice(start, start + AT_ONCE);
      const byName = new Map(some.map((pair) => [`${pair.userId} ${pair.ip}`, pair]));
      for (const row of await insertSome(tx, some, now)) {
        const pair = byName.get(`${num(row.user_id)} ${row.ip}`);
        if (pair !== undefined) added.push(pair);
      }
    }
    return added;
  }

  /** They are in the database now. */
  learn(pairs: readonly SeenAddress[], added: readonly SeenAddress[]): void {
    const written = new Set(added);
    for (const pair of pairs) {
      let known = this.#known.get(pair.userId);
      if (known === undefined) this.#known.set(pair.userId, known = new Map());
      known.set(pair.ip, { at: pair.seenAt, changed: !written.has(pair) });
    }
  }

  /** Writes the times that changed, and forgets pairs that were not seen for long. */
  async flush(now: number): Promise<void> {
    const changed: [userId: number, ip: string, known: Known][] = [];
    for (const [userId, known] of this.#known) {
      for (const [ip, each] of known) {
        if (each.changed) changed.push([userId, ip, each]);
        else if (each.at < now - KNOWN_MS) known.delete(ip);
      }
      if (known.size === 0) this.#known.delete(userId);
    }
    changed.sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1));
    for (let start = 0; start < changed.length; start += AT_ONCE) {
      await this.#write(changed.slice(start, start + AT_ONCE));
    }
  }

  /** What was kept of a user was erased: seen again, it is new. */
  forget(userId: number): void {
    this.#known.delete(userId);
  }

  async #write(rows: readonly [userId: number, ip: string, known: Known][]): Promise<void> {
    const { db } = this.#parts;
    const values = rows.map(([userId, ip, { at }]) => [userId, ip, at] as const);
    for (const [, , known] of rows) known.changed = false;
    try {
      if (db.dialect === "sqlite") {
        await db.execMany(
          "UPDATE user_ips SET last_seen_at = max(last_seen_at, $3) WHERE user_id = $1 AND ip = $2",
          values,
        );
        return;
      }
      const there = await db.query(
        `UPDATE user_ips SET last_seen_at = greatest(last_seen_at, d.at)
         FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS d (user_id, ip, at)
         WHERE user_ips.user_id = d.user_id AND user_ips.ip = d.ip RETURNING user_ips.user_id, user_ips.ip`,
        [values.map(([userId]) => userId), values.map(([, ip]) => ip), values.map(([, , at]) => at)],
      );
      // Another replica erased the others.
      const names = new Set(there.map((row) => `${num(row.user_id)} ${row.ip}`));
      for (const [userId, ip] of rows) if (!names.has(`${userId} ${ip}`)) this.#known.get(userId)?.delete(ip);
    } catch (error) {
      for (const [, , known] of rows) known.changed = true;
      throw error;
    }
  }
}

function insertSome(tx: Database, pairs: readonly SeenAddress[], now: number) {
  const into = "INSERT INTO user_ips (user_id, ip, first_seen_at, last_seen_at)";
  const end = "ON CONFLICT (user_id, ip) DO NOTHING RETURNING user_id, ip";
  if (tx.dialect === "postgres") {
    return tx.query(
      `${into} SELECT d.user_id, d.ip, $4, d.at FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS d (user_id, ip, at) ${end}`,
      [pairs.map(({ userId }) => userId), pairs.map(({ ip }) => ip), pairs.map(({ seenAt }) => seenAt), now],
    );
  }
  return tx.query(
    `${into} SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), $2, json_extract(value, '$[2]')
     FROM json_each($1) WHERE true ${end}`,
    [JSON.stringify(pairs.map(({ userId, ip, seenAt }) => [userId, ip, seenAt])), now],
  );
}
