/**
 * How far the streams of nodes have been taken.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { type Database, num } from "../store/database.ts";
import { type Outcome, type Report, type ReportKind, seqGap } from "./report.ts";
import { type Cell, rowSource } from "./row_source.ts";

/** A node whose disk was lost begins a new stream; nobody loses it a thousand times. */
export const MOST_STREAMS = 1_000;
/** A stream that was idle for so long gives way to a new one. */
export const IDLE_STREAM_MS: number = 60 * 24 * 3_600_000;
const FULL_RETRY_MS = 3_600_000;

const KEY = { node_id: "bigint", stream_id: "text", kind: "text" } as const;
const SAME = "c.node_id = t.node_id AND c.stream_id = t.stream_id AND c.kind = t.kind";

/** Reports that were left out for good. */
export interface Gap {
  readonly nodeId: number;
  readonly stream: string;
  readonly kind: ReportKind;
  /** The first that is missing. */
  readonly from: number;
  /** The last one. */
  readonly to: number;
}

interface Cursor {
  readonly key: readonly [nodeId: number, stream: string, kind: ReportKind];
  /** Whether one of the reports may begin the stream. */
  begins: boolean;
  lastSeq: number | null;
  moved: boolean;
}

/** The cursors of some reports within one transaction. */
export class Cursors {
  readonly #tx: Database;
  readonly #now: number;
  readonly #cursors = new Map<string, Cursor>();
  /** What agents gave up. */
  readonly gaps: Gap[] = [];

  /** Cursors that nobody else moves before the end of the transaction: see {@linkcode Cursors.lock}. */
  constructor(tx: Database, now: number) {
    this.#tx = tx;
    this.#now = now;
  }

  /** Reads and locks those of the reports; makes those of streams that begin. */
  async lock(reports: readonly Report[]): Promise<void> {
    for (const { nodeId, kind, place: { stream, seq, gap } } of reports) {
      if (stream === undefined || seq === undefined) continue;
      const id = idOf(nodeId, stream, kind);
      const cursor = this.#cursors.get(id) ??
        { key: [nodeId, stream, kind], begins: false, lastSeq: null, moved: false };
      this.#cursors.set(id, cursor);
      if (seq === 1 || gap === true) cursor.begins = true;
    }
    if (this.#cursors.size === 0) return;
    await this.#read();
    const fresh = [...this.#cursors.values()].filter(({ lastSeq, begins }) => lastSeq === null && begins);
    if (fresh.length === 0) return;
    for (const nodeId of new Set(fresh.map(({ key }) => key[0]))) {
      await this.#begin(nodeId, fresh.filter(({ key }) => key[0] === nodeId));
    }
    // Another replica may have begun the same stream meanwhile, and moved on.
    await this.#read();
  }

  async #read(): Promise<void> {
    const keys = [...this.#cursors.values()].map(({ key }) => key).sort(byKey);
    const source = rowSource(this.#tx, KEY, keys);
    const lock = this.#tx.dialect === "postgres" ? "FOR UPDATE OF c" : "";
    const rows = await this.#tx.query(
      `SELECT c.node_id, c.stream_id, c.kind, c.last_seq FROM ${source.sql} JOIN usage_cursors c ON ${SAME}
        ORDER BY c.node_id, c.stream_id, c.kind ${lock}`,
      source.params,
    );
    for (const row of rows) {
      const cursor = this.#cursors.get(idOf(num(row.node_id), String(row.stream_id), row.kind as ReportKind));
      if (cursor !== undefined) cursor.lastSeq = num(row.last_seq);
    }
  }

  async #begin(nodeId: number, fresh: readonly Cursor[]): Promise<void> {
    const [row] = await this.#tx.query("SELECT COUNT(*) AS streams FROM usage_cursors WHERE node_id = $1", [nodeId]);
    const over = num(row?.streams) + fresh.length - MOST_STREAMS;
    const removed = over <= 0 ? 0 : await this.#tx.exec(
      `DELETE FROM usage_cursors WHERE node_id = $1 AND (stream_id, kind) IN (
        SELECT stream_id, kind FROM usage_cursors WHERE node_id = $1 AND updated_at < $2 ORDER BY updated_at LIMIT $3)`,
      [nodeId, this.#now - IDLE_STREAM_MS, over],
    );
    const room = Math.max(0, fresh.length - Math.max(0, over) + removed);
    const rows: Cell[][] = fresh.slice(0, room).map(({ key }) => [...key]);
    if (rows.length === 0) return;
    const source = rowSource(this.#tx, KEY, rows, 2);
    await this.#tx.exec(
      `INSERT INTO usage_cursors (node_id, stream_id, kind, last_seq, updated_at)
        SELECT node_id, stream_id, kind, 0, $1 FROM ${source.sql} WHERE true ON CONFLICT DO NOTHING`,
      [this.#now, ...source.params],
    );
  }

  /** What to do with a report of a stream; the cursor moves on when it is applied. */
  take({ nodeId, kind, place: { stream = "", seq = 0, gap = false } }: Report): Outcome {
    const cursor = this.#cursors.get(idOf(nodeId, stream, kind));
    const lastSeq = cursor?.lastSeq ?? null;
    if (cursor === undefined || lastSeq === null) {
      if (cursor?.begins !== true || (seq > 1 && !gap)) return seqGap(seq, 1);
      return new Failure("RATE_LIMITED", `The node has ${MOST_STREAMS} streams already`, {
        retryAfterMs: FULL_RETRY_MS,
      });
    }
    if (seq <= lastSeq) return "duplicate";
    if (seq > lastSeq + 1) {
      if (!gap) return seqGap(seq, lastSeq + 1);
      this.gaps.push({ nodeId, stream, kind, from: lastSeq + 1, to: seq - 1 });
    }
    cursor.lastSeq = seq;
    cursor.moved = true;
    return "applied";
  }

  /** Writes those that moved. */
  async store(): Promise<void> {
    const moved = [...this.#cursors.values()].filter((cursor) => cursor.moved);
    if (moved.length === 0) return;
    const rows = moved.map(({ key, lastSeq }) => [...key, lastSeq ?? 0]);
    const source = rowSource(this.#tx, { ...KEY, last_seq: "bigint" }, rows, 2);
    await this.#tx.exec(
      `UPDATE usage_cursors AS c SET last_seq = t.last_seq, updated_at = $1 FROM ${source.sql} WHERE ${SAME}`,
      [this.#now, ...source.params],
    );
  }
}

function idOf(nodeId: number, stream: string, kind: ReportKind): string {
  return `${nodeId} ${kind} ${stream}`;
}

function byKey(a: Cursor["key"], b: Cursor["key"]): number {
  if (a[0] !== b[0]) return a[0] - b[0];
  if (a[1] !== b[1]) return a[1] < b[1] ? -1 : 1;
  return a[2] < b[2] ? -1 : 1;
}
