/**
 * How nodes are: their latest snapshot, and their history.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import type { AdminStats } from "../admin/deps.ts";
import type { NodeStats } from "../contract/types.ts";
import { Failure } from "../failure.ts";
import type { Intervals } from "../nodes/intervals.ts";
import type { CoreParts } from "../parts.ts";
import { num, numOrNull, type Row } from "../store/database.ts";
import { figuresOf } from "./figures.ts";
import { type HistoryPoint, pointsOf } from "./history.ts";
import { fetchLive } from "./live.ts";
import { Minutes } from "./minutes.ts";
import { keepQuarters } from "./quarters.ts";
import { Recent } from "./recent.ts";

/** A snapshot lives so long. */
const SNAPSHOT_S = 30;
/** A snapshot that is older says nothing about now. */
const FRESH_MS = 10_000;
const RECENT_MS = 600_000;
const FLUSH_MS = 10_000;

/** How a node is. */
export interface RuntimeStatus {
  readonly nodeId: number;
  readonly status: string;
  readonly syncStatus: string;
  readonly desiredRevision: number;
  readonly appliedRevision: number;
  readonly lastSeenAt: string | null;
  /** When the snapshot came; null without one. */
  readonly receivedAt: string | null;
  readonly ageMs: number | null;
  readonly stale: boolean;
  readonly source: "core" | "node";
  readonly system: NodeStats["system"] | null;
  readonly xray: NodeStats["xray"] | null;
  readonly mtproto: NodeStats["mtproto"] | null;
}

/** How a node was. */
export interface StatsHistory {
  readonly nodeId: number;
  readonly step: Parameters<AdminStats["history"]>[3];
  readonly points: readonly HistoryPoint[];
}

/** How nodes are. */
export interface Stats extends AdminStats {
  report(nodeId: number, stats: NodeStats): Promise<void>;
  runtimeStatus(nodeId: number, fromNode: boolean): Promise<RuntimeStatus>;
  history(nodeId: number, from: number, to: number, step: StatsHistory["step"]): Promise<StatsHistory>;
  /** Writes what is not written yet. Never rejects. Idempotent. */
  close(): Promise<void>;
}

/** What this needs besides the parts of Core. */
export interface StatsDeps {
  /** Nodes that somebody looks at report more often. */
  readonly intervals: Pick<Intervals, "watch">;
}

interface Snapshot extends NodeStats {
  readonly at: number;
}

/** How the nodes of this Core are. */
export function createStats(parts: CoreParts, { intervals }: StatsDeps): Stats {
  const { runtime: { clock }, db, ephemeral, jobs, logger } = parts;
  const recent = new Map<number, Recent>();
  const minutes = new Minutes(db);
  const live = new Map<number, Promise<NodeStats>>();
  const now = (): number => Math.floor(clock.wall());
  let closed: Promise<void> | null = null;

  jobs.every("stats.minutes", FLUSH_MS, async () => {
    const oldest = now() - RECENT_MS;
    for (const [nodeId, { lastAt }] of recent) if (lastAt < oldest) recent.delete(nodeId);
    await minutes.flush(now());
  }, { lease: false });
  keepQuarters(parts);

  const nodeOf = async (nodeId: number): Promise<Row> => {
    const [row] = await db.query(
      "SELECT ip, port, status, sync_status, desired_revision, applied_revision, last_seen_at FROM nodes WHERE id = $1",
      [nodeId],
    );
    if (row === undefined) throw new Failure("NOT_FOUND", `No node ${nodeId}`);
    return row;
  };
  const snapshotOf = async (nodeId: number): Promise<Snapshot | null> => {
    const text = await ephemeral.get(keyOf(nodeId));
    return text === null ? null : JSON.parse(text) as Snapshot;
  };
  /** Several who ask at once get the same answer. */
  const fetched = (nodeId: number, row: Row): Promise<NodeStats> => {
    let asked = live.get(nodeId);
    if (asked === undefined) {
      asked = fetchLive(parts, { nodeId, ip: String(row.ip), port: num(row.port) }).finally(() => live.delete(nodeId));
      live.set(nodeId, asked);
    }
    return asked;
  };

  return {
    async report(nodeId, stats) {
      const at = now();
      const figures = figuresOf(stats);
      let ring = recent.get(nodeId);
      if (ring === undefined) recent.set(nodeId, ring = new Recent());
      ring.add(at, figures, at - RECENT_MS);
      minutes.add(nodeId, at, figures);
      await ephemeral.setEx(keyOf(nodeId), JSON.stringify({ at, ...stats }), SNAPSHOT_S);
    },

    async runtimeStatus(nodeId, fromNode) {
      const row = await nodeOf(nodeId);
      intervals.watch(nodeId);
      const snapshot = fromNode ? { ...await fetched(nodeId, row), at: now() } : await snapshotOf(nodeId);
      const lastSeenAt = numOrNull(row.last_seen_at);
      const ageMs = snapshot === null ? null : Math.max(0, now() - snapshot.at);
      return {
        nodeId,
        status: String(row.status),
        syncStatus: String(row.sync_status),
        desiredRevision: num(row.desired_revision),
        appliedRevision: num(row.applied_revision),
        lastSeenAt: timeText(lastSeenAt),
        receivedAt: timeText(snapshot?.at ?? null),
        ageMs,
        stale: ageMs === null || ageMs > FRESH_MS,
        source: fromNode ? "node" : "core",
        system: snapshot?.system ?? null,
        xray: snapshot?.xray ?? null,
        mtproto: snapshot?.mtproto ?? null,
      };
    },

    async history(nodeId, from, to, step) {
      await nodeOf(nodeId);
      intervals.watch(nodeId);
      if (from >= to) {
        const issue = { path: "from", message: "expected a time before to" };
        throw new Failure("VALIDATION_FAILED", `${issue.path}: ${issue.message}`, { issues: [issue] });
      }
      return { nodeId, step, points: await pointsOf({ db, recent: recent.get(nodeId) }, nodeId, { from, to, step }) };
    },

    close: () =>
      closed ??= minutes.flush(Infinity).catch((error: unknown) =>
        logger.warn("The last figures of nodes were not noted", { reason: messageOf(error) })
      ),
  };
}

function keyOf(nodeId: number): string {
  return `node:stats:${nodeId}`;
}

function timeText(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
