/**
 * Ways in: what puts a UUID into the maps of nodes.
 *
 * @module
 */
import { nodesServing } from "../composition/serving.ts";
import type { LinkChange, LinkCreate } from "../contract/admin_types.ts";
import type { CoreParts } from "../parts.ts";
import { type Database, num, numOrNull, type Param, type Row } from "../store/database.ts";
import { uuidV4 } from "../uuid.ts";
import { type Columns, invalid, type RecordKind } from "./records.ts";
import { flagOf, jsonOf, textOrNull, timeOf } from "./view.ts";

type Settings = Readonly<Record<string, unknown>>;

/** Links of users, on some protocols or on all of their kind. */
export function links({ runtime: { random } }: Pick<CoreParts, "runtime">): RecordKind<LinkCreate, LinkChange> {
  return {
    noun: "link",
    table: "subscription_links",
    key: "uuid",
    filters: { userId: "user_id", subscriptionId: "subscription_id", kind: "kind" },
    secret: ["secret"],
    more: (dialect) =>
      dialect === "sqlite"
        ? "(SELECT json_group_array(node_protocol_id) FROM link_protocols p WHERE p.uuid = t.uuid) AS protocols"
        : "(SELECT json_agg(node_protocol_id)::text FROM link_protocols p WHERE p.uuid = t.uuid) AS protocols",
    view: (row) => {
      const { maxConnections = null, maxUniqueIps = null, ...settings } = settingsOf(row);
      return {
        uuid: String(row.uuid),
        userId: num(row.user_id),
        subscriptionId: numOrNull(row.subscription_id),
        kind: String(row.kind),
        secret: textOrNull(row.secret),
        everywhere: flagOf(row.everywhere),
        nodeProtocolIds: jsonOf<number[]>(row.protocols, []).sort((a, b) => a - b),
        settings,
        maxConnections,
        maxUniqueIps,
        enabled: flagOf(row.enabled),
        createdAt: timeOf(row.created_at),
        updatedAt: timeOf(row.updated_at),
      };
    },
    creating: async (tx, input) => {
      const { userId, kind, uuid = uuidV4(random), everywhere = false, nodeProtocolIds = [] } = input;
      const [user] = await tx.query("SELECT id FROM users WHERE id = $1", [userId]);
      if (user === undefined) throw invalid("userId", `no user ${userId}`);
      await check(tx, input, userId, kind, everywhere, nodeProtocolIds.length > 0);
      return { uuid, user_id: userId, kind, everywhere: Number(everywhere), ...columnsOf(input, {}) };
    },
    changing: async (tx, input, row) => {
      const everywhere = input.everywhere ?? flagOf(row.everywhere);
      await check(tx, input, num(row.user_id), String(row.kind), everywhere, (input.nodeProtocolIds ?? []).length > 0);
      return { everywhere: Number(everywhere), ...columnsOf(input, settingsOf(row)) };
    },
    saved: async (tx, uuid, input) => {
      if (input.everywhere === true) return await clear(tx, uuid);
      return input.nodeProtocolIds === undefined ? false : await bind(tx, uuid, input.nodeProtocolIds);
    },
    nodes: (tx, row) => nodesServing(tx, "uuid", String(row.uuid)),
  };
}

function settingsOf(row: Row): Settings {
  return jsonOf<Settings>(row.settings, {});
}

function columnsOf(input: LinkChange, before: Settings): Columns {
  const { subscriptionId, secret, settings, maxConnections, maxUniqueIps, enabled } = input;
  const limits = {
    maxConnections: maxConnections === undefined ? before.maxConnections : maxConnections,
    maxUniqueIps: maxUniqueIps === undefined ? before.maxUniqueIps : maxUniqueIps,
  };
  const touched = [settings, maxConnections, maxUniqueIps].some((value) => value !== undefined);
  const all = Object.entries({ ...settings === undefined ? before : settings, ...limits })
    .filter(([, value]) => value !== undefined && value !== null);
  return {
    subscription_id: subscriptionId,
    secret,
    settings: touched ? JSON.stringify(Object.fromEntries(all)) : undefined,
    enabled: enabled === undefined ? undefined : Number(enabled),
  };
}

async function check(
  tx: Database,
  { subscriptionId, secret, nodeProtocolIds }: LinkChange,
  userId: number,
  kind: string,
  everywhere: boolean,
  bound: boolean,
): Promise<void> {
  if (everywhere && bound) throw invalid("nodeProtocolIds", "expected none for a link that is everywhere");
  if (kind === "mtproto" && typeof secret === "string" && !/^[0-9a-f]{32}$/i.test(secret)) {
    throw invalid("secret", "expected 32 hex digits");
  }
  if (typeof subscriptionId === "number") {
    const [subscription] = await tx.query("SELECT user_id FROM subscriptions WHERE id = $1", [subscriptionId]);
    if (subscription === undefined || num(subscription.user_id) !== userId) {
      throw invalid("subscriptionId", `no subscription ${subscriptionId} of user ${userId}`);
    }
  }
  for (const id of nodeProtocolIds ?? []) {
    const [protocol] = await tx.query("SELECT service FROM node_protocols WHERE id = $1", [id]);
    if (protocol?.service !== kind) throw invalid("nodeProtocolIds", `no ${kind} protocol ${id}`);
  }
}

/** Puts a link on these protocols and no others. */
async function bind(tx: Database, uuid: Param, ids: readonly number[]): Promise<boolean> {
  const rows = await tx.query("SELECT node_protocol_id FROM link_protocols WHERE uuid = $1", [uuid]);
  const before = new Set(rows.map(({ node_protocol_id }) => num(node_protocol_id)));
  const wanted = new Set(ids);
  const gone = [...before].filter((id) => !wanted.has(id));
  const added = [...wanted].filter((id) => !before.has(id));
  await tx.execMany(
    "DELETE FROM link_protocols WHERE uuid = $1 AND node_protocol_id = $2",
    gone.map((id) => [uuid, id]),
  );
  await tx.execMany(
    "INSERT INTO link_protocols (uuid, node_protocol_id) VALUES ($1, $2)",
    added.map((id) => [uuid, id]),
  );
  return gone.length + added.length > 0;
}

async function clear(tx: Database, uuid: Param): Promise<boolean> {
  return await tx.exec("DELETE FROM link_protocols WHERE uuid = $1", [uuid]) > 0;
}
