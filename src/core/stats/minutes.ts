/**
 * Figures of whole minutes: gathered in memory, written when the minute is over.
 *
 * A row says when its first sample came: a node that changes to another replica within a minute has two rows in it, which
 * readers make one.
 *
 * @module
 */
import type { Database } from "../store/database.ts";
import { type Figures, Merged } from "./figures.ts";

/** A minute. */
export const MINUTE_MS = 60_000;
/** Rows that one statement writes. */
const AT_ONCE = 1_000;
/** Rows that wait for a database that is away. */
const MOST_WAITING = 100_000;

interface Row {
  readonly nodeId: number;
  readonly at: number;
  readonly merged: Merged;
}

/** The minutes that are not written yet. */
export class Minutes {
  readonly #db: Database;
  readonly #open = new Map<number, Row>();
  #waiting: Row[] = [];

  /** None. */
  constructor(db: Database) {
    this.#db = db;
  }

  /** Adds one sample. */
  add(nodeId: number, at: number, figures: ArrayLike<number>): void {
    let row = this.#open.get(nodeId);
    if (row !== undefined && minuteOf(row.at) !== minuteOf(at)) {
      this.#waiting.push(row);
      row = undefined;
    }
    if (row === undefined) this.#open.set(nodeId, row = { nodeId, at, merged: new Merged() });
    row.merged.add(figures);
  }

  /** Writes the minutes that were over at `now`; all of them with Infinity. */
  async flush(now: number): Promise<void> {
    for (const [nodeId, row] of this.#open) {
      if (minuteOf(row.at) >= minuteOf(now)) continue;
      this.#open.delete(nodeId);
      this.#waiting.push(row);
    }
    while (this.#waiting.length > 0) {
      const some = this.#waiting.slice(0, AT_ONCE);
      this.#waiting = this.#waiting.slice(AT_ONCE);
      try {
        await insert(this.#db, some);
      } catch (error) {
        this.#waiting = [...some, ...this.#waiting].slice(-MOST_WAITING);
        throw error;
      }
    }
  }
}

/** The start of the minute. */
export function minuteOf(at: number): number {
  return Math.floor(at / MINUTE_MS) * MINUTE_MS;
}

/** Figures of a row; none where the row cannot be read. */
export function readFigures(text: unknown): Figures {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

async function insert(db: Database, rows: readonly Row[]): Promise<void> {
  const values = rows.map(({ nodeId, at, merged }) => [nodeId, at, merged.samples, JSON.stringify(merged.figures)]);
  const into = "INSERT INTO node_stats_1m (node_id, at, samples, stats)";
  if (db.dialect === "sqlite") {
    // A node may have been deleted meanwhile.
    await db.execMany(`${into} SELECT id, $2, $3, $4 FROM nodes WHERE id = $1 ON CONFLICT DO NOTHING`, values);
    return;
  }
  await db.exec(
    `${into} SELECT d.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) AS d (node_id, at, samples, stats)
     JOIN nodes ON nodes.id = d.node_id ON CONFLICT DO NOTHING`,
    [0, 1, 2, 3].map((column) => values.map((row) => row[column] as string | number)),
  );
}
