/**
 * The log of what happened: written with the change that it tells of, read again and passed on.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import type { Logger } from "../../log/types.ts";
import type { Runtime, Timer } from "../../runtime/types.ts";
import { type Database, num, numOrNull, type Row } from "../store/database.ts";
import { uuidV7 } from "../uuid.ts";
import type { CoreEvent, EventLog, NewEvent } from "./types.ts";

/** Other replicas write events too: so often they are looked for. */
const LOOK_MS = 500;
/** How soon after one of our own. */
const SOON_MS = 10;
/** A transaction may show its rows later than one that began after it; after this long none is to be expected. */
const LATE_MS = 30_000;
const PAGE = 1_000;

const INSERT = "INSERT INTO events_outbox (event_id, type, at, node_id, user_id, data) VALUES ($1, $2, $3, $4, $5, $6)";
const INSERT_ALL = `INSERT INTO events_outbox (event_id, type, at, node_id, user_id, data)
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])`;
const DELIVER = `INSERT INTO webhook_deliveries (webhook_id, event_seq, next_attempt_at)
  SELECT w.id, e.seq, $1 FROM events_outbox e JOIN webhooks w
  ON w.enabled = 1 AND (w.types = '[]' OR w.types LIKE '%"' || e.type || '"%') WHERE e.event_id`;

/** With what the log is made. */
export interface EventLogBase {
  readonly runtime: Pick<Runtime, "clock" | "random">;
  readonly logger: Logger;
  readonly db: Database;
}

/** The log of this database. It reads only while somebody listens. */
export function createEventLog(base: EventLogBase): EventLog {
  return new DatabaseEventLog(base);
}

class DatabaseEventLog implements EventLog {
  readonly #base: EventLogBase;
  readonly #takers = new Set<(event: CoreEvent) => void>();
  /** Numbers above `#passed` that were passed on already, and when they were written. */
  readonly #recent = new Map<number, number>();
  /** Every number up to here is done with. */
  #passed = 0;
  /** The highest number that was passed on. */
  #latest = 0;
  #ready: Promise<void> | null = null;
  #timer: Timer | null = null;
  #soon: Timer | null = null;
  #reading: Promise<void> | null = null;
  #again = false;
  #failing = false;
  #closed = false;

  constructor(base: EventLogBase) {
    this.#base = base;
  }

  async emit(tx: Database, happened: NewEvent | readonly NewEvent[]): Promise<void> {
    const events = [happened].flat();
    if (events.length === 0) return;
    const { clock, random } = this.#base.runtime;
    const at = Math.floor(clock.wall());
    const ids = events.map(() => uuidV7(at, random));
    const rows = events.map(({ type, nodeId, userId, data }, index) =>
      [ids[index]!, type, at, nodeId ?? null, userId ?? null, JSON.stringify(data)] as const
    );
    if (tx.dialect === "sqlite" || rows.length === 1) await tx.execMany(INSERT, rows);
    else await tx.exec(INSERT_ALL, [0, 1, 2, 3, 4, 5].map((column) => rows.map((row) => row[column]!)));
    await this.#deliver(tx, ids, at);
    this.#lookSoon();
  }

  subscribe(take: (event: CoreEvent) => void): () => void {
    this.#takers.add(take);
    this.#ready ??= this.#begin();
    return () => this.#takers.delete(take);
  }

  async recent(limit: number): Promise<CoreEvent[]> {
    const rows = await this.#base.db.query(`SELECT ${COLUMNS} FROM events_outbox ORDER BY seq DESC LIMIT $1`, [limit]);
    return rows.map(eventOf).reverse();
  }

  /** Whoever has a webhook for them is owed them. */
  async #deliver(tx: Database, ids: readonly string[], at: number): Promise<void> {
    if ((await tx.query("SELECT 1 FROM webhooks WHERE enabled = 1 LIMIT 1")).length === 0) return;
    if (tx.dialect === "postgres") return void await tx.exec(`${DELIVER} = ANY($2::text[])`, [at, ids]);
    await tx.execMany(`${DELIVER} = $2`, ids.map((id) => [at, id]));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#soon?.cancel();
    this.#takers.clear();
    await this.#ready?.catch(() => {});
    await this.#reading;
  }

  /** What was written before the first listener came is not news. */
  async #begin(): Promise<void> {
    try {
      const [row] = await this.#base.db.query("SELECT coalesce(max(seq), 0) AS seq FROM events_outbox");
      this.#passed = this.#latest = num(row?.seq);
      if (this.#closed) return;
      this.#timer = this.#base.runtime.clock.every(LOOK_MS, () => this.#look(true));
    } catch (error) {
      this.#ready = null;
      this.#base.logger.error("Cannot read events", { reason: messageOf(error) });
    }
  }

  #lookSoon(): void {
    if (this.#takers.size === 0 || this.#closed) return;
    this.#soon ??= this.#base.runtime.clock.after(SOON_MS, () => {
      this.#soon = null;
      this.#look(false);
    });
  }

  /** @param late whether to look for those, too, that got their number before others and were written after them */
  #look(late: boolean): void {
    if (this.#takers.size === 0 || this.#closed) return;
    if (this.#reading !== null) {
      this.#again = true;
      return;
    }
    this.#reading = this.#read(late).finally(() => {
      this.#reading = null;
      if (!this.#again) return;
      this.#again = false;
      this.#look(false);
    });
  }

  async #read(late: boolean): Promise<void> {
    const { db, logger } = this.#base;
    try {
      await this.#ready;
      // SQLite writes one transaction after the other.
      let from = late && db.dialect === "postgres" ? this.#passed : this.#latest;
      for (;;) {
        const rows = await db.query(
          `SELECT ${COLUMNS} FROM events_outbox WHERE seq > $1 ORDER BY seq LIMIT $2`,
          [from, PAGE],
        );
        for (const row of rows) this.#pass(row);
        if (rows.length < PAGE || this.#closed) break;
        from = num(rows.at(-1)?.seq);
      }
      this.#forget();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) logger.error("Cannot read events", { reason: messageOf(error) });
      this.#failing = true;
    }
  }

  #pass(row: Row): void {
    const seq = num(row.seq);
    if (this.#recent.has(seq)) return;
    const event = eventOf(row);
    this.#recent.set(seq, event.at);
    this.#latest = Math.max(this.#latest, seq);
    for (const take of this.#takers) take(event);
  }

  /** Numbers that can have no unseen one before them. */
  #forget(): void {
    const old = this.#base.runtime.clock.wall() - LATE_MS;
    for (const seq of [...this.#recent.keys()].sort((a, b) => a - b)) {
      if ((this.#recent.get(seq) ?? 0) > old) return;
      this.#recent.delete(seq);
      this.#passed = seq;
    }
  }
}

/** What {@linkcode eventOf} needs. */
export const COLUMNS = "seq, event_id, type, at, node_id, user_id, data";

/** One row of the outbox. */
export function eventOf(row: Row): CoreEvent {
  const [nodeId, userId] = [numOrNull(row.node_id), numOrNull(row.user_id)];
  return {
    id: String(row.event_id),
    type: row.type as CoreEvent["type"],
    at: num(row.at),
    ...(nodeId === null ? {} : { nodeId }),
    ...(userId === null ? {} : { userId }),
    data: JSON.parse(String(row.data)) as CoreEvent["data"],
  };
}

/** One event as it is sent to others: the members of the envelope, the time in ISO 8601. */
export function eventJson(event: CoreEvent): string {
  const { id, type, at, nodeId, userId, data } = event;
  return JSON.stringify({ id, type, at: new Date(at).toISOString(), nodeId, userId, data });
}
