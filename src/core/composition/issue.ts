/**
 * From a changed assignment to a revision.
 *
 * @module
 */
import type { CoreParts } from "../parts.ts";
import { type Database, num } from "../store/database.ts";
import type { Assignment } from "./assignment.ts";
import { type ConfigBody, makeBody, prepare, type PreparedBody } from "./body.ts";
import type { BodyCache } from "./body_cache.ts";
import { composeContent } from "./content.ts";
import { loadAssignments } from "./load.ts";
import {
  lastComposedHash,
  loadRevision,
  type NodePlace,
  placeOf,
  readPlace,
  ROLLBACK,
  storeRevision,
} from "./snapshots.ts";

/** What is needed of Core. */
export type IssueParts = Pick<CoreParts, "runtime" | "db" | "metrics">;

/** Numbers above this are nobody's: the next one would not be a safe integer for long. */
const HIGHEST_REVISION = Number.MAX_SAFE_INTEGER - 1_000_000;

/**
 * Composes those of some nodes that are marked and issues revisions where that makes a difference.
 *
 * The mark is taken away in the same transaction that reads the assignment, so a change that comes meanwhile marks again,
 * and of several replicas one composes a node at a time.
 *
 * @returns the nodes that have a new revision
 */
export async function composeMarked(
  parts: IssueParts,
  cache: BodyCache,
  nodeIds: readonly number[],
): Promise<number[]> {
  const startedAt = parts.runtime.clock.now();
  const issued = await parts.db.transaction(async (tx) => {
    const issued: [number, ConfigBody][] = [];
    const marked = await tx.query(
      `UPDATE nodes SET config_dirty = 0 WHERE config_dirty = 1
        AND id IN (${nodeIds.map((_, at) => `$${at + 1}`).join(", ")})
        RETURNING id, desired_revision, delivered_revision, applied_revision, config_hash, sync_status`,
      nodeIds,
    );
    if (marked.length === 0) return issued;
    const places = new Map(marked.map((row) => [num(row.id), placeOf(row)]));
    const assignments = await loadAssignments(tx, [...places.keys()], Math.floor(parts.runtime.clock.wall()));
    for (const [nodeId, assignment] of assignments) {
      const place = places.get(nodeId);
      const body = place === undefined ? null : await issueFor(parts, tx, cache, nodeId, place, assignment);
      if (body !== null) issued.push([nodeId, body]);
    }
    return issued;
  });
  for (const [nodeId, body] of issued) cache.keep(nodeId, body);
  parts.metrics.observe("core_config_build_seconds", (parts.runtime.clock.now() - startedAt) / 1000);
  if (issued.length > 0) parts.metrics.count("core_config_revisions_total", issued.length);
  return issued.map(([nodeId]) => nodeId);
}

async function issueFor(
  { runtime }: IssueParts,
  tx: Database,
  cache: BodyCache,
  nodeId: number,
  place: NodePlace,
  assignment: Assignment,
): Promise<ConfigBody | null> {
  const composed = cache.shared(await prepare(composeContent(assignment)));
  if (!await makesDifference(tx, nodeId, place, composed)) return null;
  const body = await makeBody(place.desired + 1, composed);
  await storeRevision(tx, nodeId, body, "assignment changed", Math.floor(runtime.clock.wall()));
  return body;
}

async function makesDifference(
  tx: Database,
  nodeId: number,
  place: NodePlace,
  { hash }: PreparedBody,
): Promise<boolean> {
  if (place.desired === 0) return true;
  const [present] = await tx.query("SELECT reason FROM node_configs WHERE node_id = $1 AND revision = $2", [
    nodeId,
    place.desired,
  ]);
  const rolledBack = String(present?.reason ?? "").startsWith(ROLLBACK);
  if (place.hash === hash) {
    // The assignment has come back to what the rollback chose: from here on it is an ordinary revision.
    if (rolledBack) {
      await tx.exec("UPDATE node_configs SET reason = $3 WHERE node_id = $1 AND revision = $2", [
        nodeId,
        place.desired,
        "assignment changed",
      ]);
    }
    return false;
  }
  return !rolledBack || await lastComposedHash(tx, nodeId) !== hash;
}

/**
 * Issues the body of an old or the present revision under a new number.
 *
 * @param source the revision whose body it is; null for the present one
 * @param above the new number is larger than this one, too
 * @returns null when there is no such node or revision
 */
export async function reissue(
  { db, runtime }: IssueParts,
  nodeId: number,
  source: number | null,
  above: number,
  reason: string,
): Promise<ConfigBody | null> {
  return await db.transaction(async (tx) => {
    const place = await readPlace(tx, nodeId, true);
    if (place === null) return null;
    const old = await loadRevision(tx, nodeId, source ?? place.desired);
    if (old === null) return null;
    const { about, body } = old;
    const again: PreparedBody = await body.prepared();
    const next = await makeBody(Math.max(place.desired, Math.min(above, HIGHEST_REVISION)) + 1, again);
    const keepsRollback = source === null && about.reason.startsWith(ROLLBACK);
    await storeRevision(tx, nodeId, next, keepsRollback ? about.reason : reason, Math.floor(runtime.clock.wall()));
    return next;
  });
}
