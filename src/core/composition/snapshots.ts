/**
 * The revisions of nodes as they are stored.
 *
 * @module
 */
import { type Database, num, type Row } from "../store/database.ts";
import type { ConfigBody } from "./body.ts";
import { readBody } from "./body.ts";
import type { Revision } from "./types.ts";

/** Revisions that are kept of each node. */
export const KEPT_REVISIONS = 20;

/** Why a revision with an old body was issued: such a body stays until the assignment changes. */
export const ROLLBACK = "rollback to ";

/** Where a node stands. */
export interface NodePlace {
  readonly desired: number;
  readonly delivered: number;
  readonly applied: number;
  readonly hash: string | null;
  readonly syncStatus: string;
}

/** Where a node stands; null when there is none. @param lock keeps others from changing it until the transaction ends */
export async function readPlace(db: Database, nodeId: number, lock = false): Promise<NodePlace | null> {
  const [row] = await db.query(
    `SELECT desired_revision, delivered_revision, applied_revision, config_hash, sync_status FROM nodes WHERE id = $1
      ${lock && db.dialect === "postgres" ? "FOR UPDATE" : ""}`,
    [nodeId],
  );
  return row === undefined ? null : placeOf(row);
}

/** The columns of a node that say where it stands. */
export function placeOf(row: Row): NodePlace {
  return {
    desired: num(row.desired_revision),
    delivered: num(row.delivered_revision),
    applied: num(row.applied_revision),
    hash: row.config_hash === null ? null : String(row.config_hash),
    syncStatus: String(row.sync_status),
  };
}

/** Stores a revision and makes it the one that the node is to run. */
export async function storeRevision(
  tx: Database,
  nodeId: number,
  body: ConfigBody,
  reason: string,
  now: number,
): Promise<void> {
  const { revision, hash } = body;
  await tx.exec(
    "UPDATE nodes SET desired_revision = $2, config_hash = $3, sync_status = 'pending' WHERE id = $1",
    [nodeId, revision, hash],
  );
  await tx.exec(
    "INSERT INTO node_configs (node_id, revision, hash, body_gz, reason, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
    [nodeId, revision, hash, body.gz, reason, now],
  );
  await tx.exec(
    `DELETE FROM node_configs WHERE node_id = $1 AND revision <
      (SELECT MIN(revision) FROM (SELECT revision FROM node_configs WHERE node_id = $1
        ORDER BY revision DESC LIMIT ${KEPT_REVISIONS}) AS kept)`,
    [nodeId],
  );
}

/** The revisions of a node, the newest first. */
export async function listRevisions(db: Database, nodeId: number): Promise<Revision[]> {
  const rows = await db.query(
    "SELECT revision, hash, reason, created_at FROM node_configs WHERE node_id = $1 ORDER BY revision DESC",
    [nodeId],
  );
  return rows.map(revisionOf);
}

/** One revision with its body; null when it is gone. */
export async function loadRevision(
  db: Database,
  nodeId: number,
  revision: number,
): Promise<{ readonly about: Revision; readonly body: ConfigBody } | null> {
  const [row] = await db.query(
    "SELECT revision, hash, reason, created_at, body_gz FROM node_configs WHERE node_id = $1 AND revision = $2",
    [nodeId, revision],
  );
  if (row === undefined) return null;
  const about = revisionOf(row);
  return { about, body: await readBody(revision, about.hash, new Uint8Array(row.body_gz as Uint8Array)) };
}

/** What was composed last for a node, rollbacks left out; null when that is not known any more. */
export async function lastComposedHash(db: Database, nodeId: number): Promise<string | null> {
  const [row] = await db.query(
    `SELECT hash FROM node_configs WHERE node_id = $1 AND reason NOT LIKE '${ROLLBACK}%' ORDER BY revision DESC LIMIT 1`,
    [nodeId],
  );
  return row === undefined ? null : String(row.hash);
}

function revisionOf(row: Row): Revision {
  return {
    revision: num(row.revision),
    hash: String(row.hash),
    reason: String(row.reason),
    createdAt: num(row.created_at),
  };
}
