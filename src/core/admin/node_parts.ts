/**
 * What belongs to a node besides its inbounds: ways out and tunnels.
 *
 * @module
 */
import { toHex } from "../../bytes/hex.ts";
import type {
  NodeOutboundChange,
  NodeOutboundCreate,
  NodeTunnelChange,
  NodeTunnelCreate,
} from "../contract/admin_types.ts";
import type { JsonObject } from "../contract/types.ts";
import type { CoreParts } from "../parts.ts";
import { type Database, num } from "../store/database.ts";
import { invalid, type RecordKind } from "./records.ts";
import { bytesOf, flagOf, jsonOf, timeOf } from "./view.ts";

/** What tunnels may be: those that a node can run by itself. */
const TUNNEL = /^(server|client):\/\/\S+$/;

/** @throws {Failure} VALIDATION_FAILED when there is no such node */
export async function requireNode(tx: Database, nodeId: number): Promise<void> {
  const [node] = await tx.query("SELECT id FROM nodes WHERE id = $1", [nodeId]);
  if (node === undefined) throw invalid("nodeId", `no node ${nodeId}`);
}

/** Outbounds of nodes. One that a node has reported by itself becomes an ordinary one with its settings. */
export const nodeOutbounds: RecordKind<NodeOutboundCreate, NodeOutboundChange> = {
  noun: "node-outbound",
  table: "node_outbounds",
  key: "id",
  filters: { nodeId: "node_id", tag: "tag" },
  moving: ["trafficBytesUp", "trafficBytesDown"],
  // Passwords of other servers are in them.
  secret: ["settings"],
  sent: ["tag", "settings", "enabled", "unmanaged"],
  view: (row) => ({
    id: num(row.id),
    nodeId: num(row.node_id),
    tag: String(row.tag),
    settings: jsonOf<JsonObject>(row.settings, {}),
    unmanaged: flagOf(row.unmanaged),
    enabled: flagOf(row.enabled),
    trafficBytesUp: bytesOf(row.traffic_bytes_up),
    trafficBytesDown: bytesOf(row.traffic_bytes_down),
    createdAt: timeOf(row.created_at),
    updatedAt: timeOf(row.updated_at),
  }),
  creating: async (tx, { nodeId, tag, settings, enabled = true }) => {
    await requireNode(tx, nodeId);
    return { node_id: nodeId, tag, settings: JSON.stringify(checked(settings)), enabled: Number(enabled) };
  },
  changing: (_, { tag, settings, enabled }) => ({
    tag,
    ...(settings === undefined ? {} : { settings: JSON.stringify(checked(settings)), unmanaged: 0 }),
    enabled: enabled === undefined ? undefined : Number(enabled),
  }),
  nodes: (_, row) => ({ nodeIds: [num(row.node_id)] }),
};

function checked(settings: JsonObject): JsonObject {
  if (typeof settings.protocol !== "string") throw invalid("settings.protocol", "expected a protocol of Xray");
  return settings;
}

/** Tunnels that nodes run. */
export function nodeTunnels(
  { runtime: { random } }: Pick<CoreParts, "runtime">,
): RecordKind<NodeTunnelCreate, NodeTunnelChange> {
  return {
    noun: "node-tunnel",
    table: "node_tunnels",
    key: "id",
    filters: { nodeId: "node_id" },
    // Their keys are in them.
    secret: ["url"],
    view: (row) => ({
      id: num(row.id),
      nodeId: num(row.node_id),
      instanceId: String(row.instance_id),
      alias: String(row.alias),
      url: String(row.url),
      enabled: flagOf(row.enabled),
      createdAt: timeOf(row.created_at),
      updatedAt: timeOf(row.updated_at),
    }),
    creating: async (tx, { nodeId, url, alias, enabled = true }) => {
      await requireNode(tx, nodeId);
      const instance = toHex(random.bytes(4));
      return { node_id: nodeId, instance_id: instance, alias, url: tunnelUrl(url), enabled: Number(enabled) };
    },
    changing: (_, { url, alias, enabled }) => ({
      alias,
      url: url === undefined ? undefined : tunnelUrl(url),
      enabled: enabled === undefined ? undefined : Number(enabled),
    }),
    nodes: (_, row) => ({ nodeIds: [num(row.node_id)] }),
  };
}

function tunnelUrl(url: string): string {
  if (!TUNNEL.test(url)) throw invalid("url", 'expected a tunnel URL: "server://..." or "client://..."');
  return url;
}
