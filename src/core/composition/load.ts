/**
 * Reads what is assigned to nodes.
 *
 * @module
 */
import { type Database, num, numOrNull, type Row } from "../store/database.ts";
import type { AssignedLink, AssignedOutbound, AssignedProtocol, AssignedTunnel, Assignment } from "./assignment.ts";
import { jsonObject } from "./json_text.ts";

/** Links that let somebody in now: $1 is the time. */
const LINKS = `
  FROM subscription_links l
  JOIN users u ON u.id = l.user_id AND u.status = 'active'
  LEFT JOIN subscriptions s ON s.id = l.subscription_id`;
const ADMITTED = `
  l.enabled = 1 AND (l.subscription_id IS NULL OR (
    s.status = 'active' AND (s.expires_at IS NULL OR s.expires_at > $1)
    AND (s.limit_bytes IS NULL OR (s.used_up < s.limit_bytes AND s.used_down < s.limit_bytes - s.used_up))))`;
const LINK_COLUMNS = "l.uuid, l.user_id, l.subscription_id, l.secret, l.settings, s.expires_at";

/** The assignments of some nodes, read at one point in time; nodes with equal users share the lists. */
export async function loadAssignments(
  db: Database,
  nodeIds: readonly number[],
  now: number,
): Promise<Map<number, Assignment>> {
  const some = `IN (${nodeIds.map((_, at) => `$${at + 1}`).join(", ")})`;
  const nodes = await db.query(`SELECT id, routing FROM nodes WHERE id ${some}`, nodeIds);
  const protocols = await db.query(
    `SELECT id, node_id, service, protocol, tag, settings FROM node_protocols
      WHERE node_id ${some} AND enabled = 1 ORDER BY id`,
    nodeIds,
  );
  const outbounds = await db.query(
    `SELECT node_id, tag, settings FROM node_outbounds
      WHERE node_id ${some} AND enabled = 1 AND unmanaged = 0 ORDER BY id`,
    nodeIds,
  );
  const tunnels = await db.query(
    `SELECT node_id, instance_id, alias, url FROM node_tunnels WHERE node_id ${some} AND enabled = 1 ORDER BY id`,
    nodeIds,
  );
  const links = await linksOf(db, protocols, now);
  const assignments = new Map<number, Assignment>();
  for (const node of nodes) {
    const own = (row: Row): boolean => row.node_id === node.id;
    assignments.set(num(node.id), {
      protocols: protocols.filter(own).map((row) => protocolOf(row, links)),
      outbounds: outbounds.filter(own).map(outboundOf),
      routing: jsonObject(JSON.parse(String(node.routing))),
      tunnels: tunnels.filter(own).map(tunnelOf),
    });
  }
  return assignments;
}

/** Who may use a protocol. */
type LinksOf = (service: string, protocolId: number) => readonly AssignedLink[];

async function linksOf(db: Database, protocols: readonly Row[], now: number): Promise<LinksOf> {
  const everywhere = new Map<string, readonly AssignedLink[]>();
  for (const kind of new Set(protocols.map(({ service }) => String(service)))) {
    const rows = await db.query(
      `SELECT ${LINK_COLUMNS} ${LINKS} WHERE l.everywhere = 1 AND l.kind = $2 AND ${ADMITTED} ORDER BY l.uuid`,
      [now, kind],
    );
    everywhere.set(kind, rows.map(linkOf));
  }
  const bound = new Map<number, AssignedLink[]>();
  const ids = protocols.map(({ id }) => num(id));
  if (ids.length > 0) {
    const some = ids.map((_, at) => `$${at + 2}`).join(", ");
    const rows = await db.query(
      `SELECT lp.node_protocol_id, ${LINK_COLUMNS} ${LINKS}
        JOIN link_protocols lp ON lp.uuid = l.uuid
        JOIN node_protocols p ON p.id = lp.node_protocol_id AND p.service = l.kind
        WHERE lp.node_protocol_id IN (${some}) AND l.everywhere = 0 AND ${ADMITTED}
        ORDER BY lp.node_protocol_id, l.uuid`,
      [now, ...ids],
    );
    for (const row of rows) {
      const id = num(row.node_protocol_id);
      const list = bound.get(id) ?? [];
      bound.set(id, list);
      list.push(linkOf(row));
    }
  }
  return (service, protocolId) => {
    const all = everywhere.get(service) ?? [];
    const own = bound.get(protocolId);
    if (own === undefined) return all;
    return all.length === 0 ? own : [...all, ...own].sort(byUuid);
  };
}

function byUuid(a: AssignedLink, b: AssignedLink): number {
  return a.uuid < b.uuid ? -1 : 1;
}

function linkOf(row: Row): AssignedLink {
  const settings = row.settings === null ? {} : jsonObject(JSON.parse(String(row.settings)));
  return {
    uuid: String(row.uuid),
    userId: num(row.user_id),
    subscriptionId: numOrNull(row.subscription_id),
    secret: row.secret === null ? null : String(row.secret),
    expiresAt: numOrNull(row.expires_at),
    maxConnections: countOf(settings.maxConnections),
    maxUniqueIps: countOf(settings.maxUniqueIps),
  };
}

function countOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function protocolOf(row: Row, links: LinksOf): AssignedProtocol {
  const id = num(row.id);
  const service = row.service === "mtproto" ? "mtproto" : "xray";
  return {
    id,
    service,
    protocol: String(row.protocol),
    tag: String(row.tag),
    settings: jsonObject(JSON.parse(String(row.settings))),
    links: links(service, id),
  };
}

function outboundOf(row: Row): AssignedOutbound {
  return { tag: String(row.tag), settings: jsonObject(JSON.parse(String(row.settings ?? "{}"))) };
}

function tunnelOf(row: Row): AssignedTunnel {
  return { id: String(row.instance_id), alias: String(row.alias), url: String(row.url) };
}
