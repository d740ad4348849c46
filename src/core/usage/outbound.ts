/**
 * Traffic of the outbounds of nodes.
 *
 * @module
 */
import { clampedSum, type Database, num } from "../store/database.ts";
import { type Amount, plus } from "./amount.ts";
import type { Report } from "./report.ts";
import { rowSource } from "./row_source.ts";

/** Tags of one node; what comes under more of them is added up under one. */
const MOST_TAGS = 4_096;
/** No tag of a node looks like this. */
const OTHERS = "(others)";

interface TagTraffic {
  readonly nodeId: number;
  readonly tag: string;
  up: Amount;
  down: Amount;
}

/** Adds the items of reports; a tag that nobody knows makes a row that is flagged. */
export async function addOutbound(tx: Database, reports: readonly Report[], now: number): Promise<void> {
  const sums = new Map<string, TagTraffic>();
  for (const { nodeId, items } of reports) {
    for (const { tag, bytesUp, bytesDown } of items) {
      if (bytesUp !== 0 || bytesDown !== 0) add(sums, nodeId, tag, bytesUp, bytesDown);
    }
  }
  if (sums.size === 0) return;
  const missing = await update(tx, [...sums.values()]);
  if (missing.length === 0) return;
  await insert(tx, await fitting(tx, missing), now);
}

function add(sums: Map<string, TagTraffic>, nodeId: number, tag: string, up: Amount, down: Amount): void {
  const key = `${nodeId} ${tag}`;
  const sum = sums.get(key);
  if (sum === undefined) {
    sums.set(key, { nodeId, tag, up, down });
    return;
  }
  sum.up = plus(sum.up, up);
  sum.down = plus(sum.down, down);
}

/** Adds to the rows that are there; what is left over. */
async function update(tx: Database, sums: readonly TagTraffic[]): Promise<TagTraffic[]> {
  const source = sourceOf(tx, sums, 1);
  // SQLite returns columns of the table that changes, and those by its name alone.
  const found = await tx.query(
    `UPDATE node_outbounds SET
        traffic_bytes_up = ${clampedSum("node_outbounds.traffic_bytes_up", "t.up")},
        traffic_bytes_down = ${clampedSum("node_outbounds.traffic_bytes_down", "t.down")}
      FROM ${source.sql} WHERE node_outbounds.node_id = t.node_id AND node_outbounds.tag = t.tag
      RETURNING node_outbounds.node_id AS node_id, node_outbounds.tag AS tag`,
    source.params,
  );
  const there = new Set(found.map((row) => `${num(row.node_id)} ${row.tag}`));
  return sums.filter(({ nodeId, tag }) => !there.has(`${nodeId} ${tag}`));
}

/** Those for which there is room in the list of a node, the others under one tag. */
async function fitting(tx: Database, missing: readonly TagTraffic[]): Promise<TagTraffic[]> {
  const fits = new Map<string, TagTraffic>();
  const room = new Map<number, number>();
  for (const { nodeId, tag, up, down } of missing) {
    let left = room.get(nodeId);
    if (left === undefined) {
      const [row] = await tx.query("SELECT COUNT(*) AS tags FROM node_outbounds WHERE node_id = $1", [nodeId]);
      left = MOST_TAGS - num(row?.tags);
    }
    room.set(nodeId, left - 1);
    add(fits, nodeId, left > 0 ? tag : OTHERS, up, down);
  }
  return [...fits.values()];
}

async function insert(tx: Database, sums: readonly TagTraffic[], now: number): Promise<void> {
  const source = sourceOf(tx, sums, 2);
  await tx.exec(
    `INSERT INTO node_outbounds
        (node_id, tag, unmanaged, traffic_bytes_up, traffic_bytes_down, created_at, updated_at)
      SELECT t.node_id, t.tag, 1, t.up, t.down, $1, $1 FROM ${source.sql} JOIN nodes n ON n.id = t.node_id
      WHERE true ORDER BY t.node_id, t.tag
      ON CONFLICT (node_id, tag) DO UPDATE SET
        traffic_bytes_up = ${clampedSum("node_outbounds.traffic_bytes_up", "excluded.traffic_bytes_up")},
        traffic_bytes_down = ${clampedSum("node_outbounds.traffic_bytes_down", "excluded.traffic_bytes_down")}`,
    [now, ...source.params],
  );
}

function sourceOf(tx: Database, sums: readonly TagTraffic[], first: number): ReturnType<typeof rowSource> {
  return rowSource(
    tx,
    { node_id: "bigint", tag: "text", up: "bigint", down: "bigint" },
    sums.map(({ nodeId, tag, up, down }) => [nodeId, tag, up, down]),
    first,
  );
}
