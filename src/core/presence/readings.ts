/**
 * What administrators ask about who is connected.
 *
 * @module
 */
import type { AdminPresence, OnlineEntry } from "../admin/deps.ts";
import { digits, FAULT } from "../contract/fields.ts";
import { Failure } from "../failure.ts";
import type { CoreParts } from "../parts.ts";
import { num, numOrNull } from "../store/database.ts";
import { inboundKey, inboundPrefix, USER_PREFIX, userKey } from "./keys.ts";
import { timeOf } from "./online.ts";

const CURSOR = digits(1);

/** Reads who is online. */
export function readings(
  { ephemeral, db, runtime: { clock }, settings: { onlineTtlMs } }: Pick<
    CoreParts,
    "ephemeral" | "db" | "runtime" | "settings"
  >,
): AdminPresence {
  const oldest = (): number => clock.wall() - onlineTtlMs;

  const everybody = async (prefix: string, after: number): Promise<number[]> => {
    const ids = new Set<number>();
    let cursor: string | null = null;
    do {
      const page: { keys: string[]; cursor: string | null } = await ephemeral.scan(prefix, cursor);
      for (const key of page.keys) {
        const id = Number(key.slice(prefix.length));
        if (id > after) ids.add(id);
      }
      cursor = page.cursor;
    } while (cursor !== null);
    return [...ids].sort((a, b) => a - b);
  };

  return {
    async onlineUsers({ nodeProtocolId, cursor, limit }) {
      const prefix = nodeProtocolId === undefined ? USER_PREFIX : inboundPrefix(nodeProtocolId);
      const after = cursor === undefined ? 0 : CURSOR.read(cursor);
      if (after === FAULT) {
        throw new Failure("VALIDATION_FAILED", "cursor: expected one of an earlier page", {
          issues: [{ path: "cursor", message: "expected one of an earlier page" }],
        });
      }
      const ids = await everybody(prefix, after);
      const users: OnlineEntry[] = [];
      for (let start = 0; start < ids.length && users.length <= limit; start += limit + 1) {
        const some = ids.slice(start, start + limit + 1);
        const values = await ephemeral.getMany(some.map((userId) => `${prefix}${userId}`));
        some.forEach((userId, index) => {
          const lastSeenAt = timeOf(values[index]);
          if (lastSeenAt !== null && lastSeenAt > oldest()) users.push({ userId, lastSeenAt });
        });
      }
      const page = users.slice(0, limit);
      return { users: page, cursor: users.length > limit ? String(page.at(-1)?.userId) : null };
    },

    async user(userId) {
      const seenAt = timeOf(await ephemeral.get(userKey(userId)));
      if (seenAt === null || seenAt <= oldest()) {
        const [row] = await db.query("SELECT max(last_seen_at) AS at FROM user_ips WHERE user_id = $1", [userId]);
        return { online: false, lastSeenAt: seenAt ?? numOrNull(row?.at), nodeProtocolIds: [] };
      }
      const rows = await db.query(
        `SELECT p.node_protocol_id AS id FROM subscription_links l JOIN link_protocols p ON p.uuid = l.uuid
         WHERE l.user_id = $1
         UNION SELECT p.id FROM subscription_links l JOIN node_protocols p ON p.service = l.kind
         WHERE l.user_id = $1 AND l.everywhere = 1
         ORDER BY 1`,
        [userId],
      );
      const ids = rows.map(({ id }) => num(id));
      const values = await ephemeral.getMany(ids.map((id) => inboundKey(id, userId)));
      return { online: true, lastSeenAt: seenAt, nodeProtocolIds: ids.filter((_, index) => values[index] !== null) };
    },
  };
}
