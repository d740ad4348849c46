/**
 * Inbounds of nodes.
 *
 * @module
 */
import type { NodeProtocolChange, NodeProtocolCreate } from "../contract/admin_types.ts";
import type { JsonObject } from "../contract/types.ts";
import { isIp } from "../../address/ip.ts";
import { Failure } from "../failure.ts";
import { type Database, num, type Row } from "../store/database.ts";
import { requireNode } from "./node_parts.ts";
import { invalid, type RecordKind } from "./records.ts";
import { flagOf, jsonOf, timeOf } from "./view.ts";

/** The agent has an inbound of this name of its own. */
const AGENT_TAG = "api";

/** Protocols of nodes. */
export const nodeProtocols: RecordKind<NodeProtocolCreate, NodeProtocolChange> = {
  noun: "node-protocol",
  table: "node_protocols",
  key: "id",
  filters: { nodeId: "node_id", service: "service", protocol: "protocol", tag: "tag" },
  // Keys of inbounds are in them.
  secret: ["settings"],
  view: (row) => ({
    id: num(row.id),
    nodeId: num(row.node_id),
    service: String(row.service),
    protocol: String(row.protocol),
    tag: String(row.tag),
    settings: jsonOf<JsonObject>(row.settings, {}),
    enabled: flagOf(row.enabled),
    createdAt: timeOf(row.created_at),
    updatedAt: timeOf(row.updated_at),
  }),
  creating: async (tx, { nodeId, service, protocol, tag, settings, enabled = true }) => {
    await requireNode(tx, nodeId);
    if ((service === "mtproto") !== (protocol === "mtproto")) {
      throw invalid("protocol", `expected ${service === "mtproto" ? '"mtproto"' : "a protocol of Xray"}`);
    }
    await check(tx, { nodeId, id: 0, service, tag, settings, enabled });
    return { node_id: nodeId, service, protocol, tag, settings: JSON.stringify(settings), enabled: Number(enabled) };
  },
  changing: async (tx, { tag, settings, enabled }, row) => {
    await check(tx, {
      nodeId: num(row.node_id),
      id: num(row.id),
      service: String(row.service),
      tag: tag ?? String(row.tag),
      settings: settings ?? jsonOf<JsonObject>(row.settings, {}),
      enabled: enabled ?? flagOf(row.enabled),
    });
    return {
      tag,
      settings: settings === undefined ? undefined : JSON.stringify(settings),
      enabled: enabled === undefined ? undefined : Number(enabled),
    };
  },
  nodes: (_, row) => ({ nodeIds: [num(row.node_id)] }),
};

interface Inbound {
  readonly nodeId: number;
  readonly id: number;
  readonly service: string;
  readonly tag: string;
  readonly settings: JsonObject;
  readonly enabled: boolean;
}

/** What a node would refuse is refused here, where somebody can still change it. */
async function check(tx: Database, inbound: Inbound): Promise<void> {
  const { nodeId, id, service, tag, settings, enabled } = inbound;
  if (tag === AGENT_TAG) throw invalid("tag", `"${AGENT_TAG}" belongs to the agent`);
  if (!isPort(settings.port, service)) throw invalid("settings.port", "expected a port");
  if (settings.listen !== undefined && (typeof settings.listen !== "string" || !isListen(settings.listen, service))) {
    throw invalid("settings.listen", "expected a literal IP address");
  }
  if (service === "mtproto") checkMtproto(settings);
  else checkXray(settings);
  if (!enabled) return;
  const others = await tx.query(
    "SELECT tag, settings FROM node_protocols WHERE node_id = $1 AND id <> $2 AND enabled = 1",
    [nodeId, id],
  );
  const taken = others.find((row) => placeOf(jsonOf<JsonObject>(row.settings, {})) === placeOf(settings));
  if (taken !== undefined) throw portTaken(taken, settings);
}

function portTaken(other: Row, { port }: JsonObject): Failure {
  return new Failure("CONFLICT", `Port ${port} of the node belongs to "${other.tag}"`);
}

function placeOf({ listen, port }: JsonObject): string {
  return `${listen ?? ""} ${port}`;
}

/** Xray also takes a range. */
function isPort(value: unknown, service: string): boolean {
  if (typeof value === "number") return Number.isInteger(value) && value >= 1 && value <= 65_535;
  return service === "xray" && typeof value === "string" && /^\d{1,5}(-\d{1,5})?$/.test(value);
}

/** Xray also takes the path of a socket. */
function isListen(value: string, service: string): boolean {
  return isIp(value) || service === "xray" && /^[/@]/.test(value);
}

function checkXray({ settings, client, streamSettings }: JsonObject): void {
  for (const [name, value] of Object.entries({ settings, client, streamSettings })) {
    if (value !== undefined && !isObject(value)) throw invalid(`settings.${name}`, "expected an object");
  }
}

function checkMtproto({ tlsDomain, modes, adTag }: JsonObject): void {
  if (tlsDomain !== undefined && (typeof tlsDomain !== "string" || !/^[A-Za-z0-9.-]{1,253}$/.test(tlsDomain))) {
    throw invalid("settings.tlsDomain", "expected a host name");
  }
  if (modes !== undefined && !(isObject(modes) && Object.values(modes).every((mode) => typeof mode === "boolean"))) {
    throw invalid("settings.modes", "expected classic, secure and tls, each true or false");
  }
  if (adTag !== undefined && (typeof adTag !== "string" || !/^[0-9a-f]{32}$/i.test(adTag))) {
    throw invalid("settings.adTag", "expected 32 hex digits");
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
