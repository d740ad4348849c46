/**
 * Who came and went, as nodes tell it.
 *
 * @module
 */
import type { SessionEvent } from "../contract/types.ts";
import type { CoreParts } from "../parts.ts";
import type { Database } from "../store/database.ts";

/** How long they are kept. */
export const SESSION_EVENTS_KEPT_MS: number = 90 * 24 * 60 * 60_000;
const TIDY_MS: number = 60 * 60_000;
/** Rows that are deleted at once. */
const AT_ONCE = 5_000;

/** The same event is one row, however often it comes; users that the node was never sent are left out. */
const INSERT = `INSERT INTO session_events (node_id, user_id, protocol, event_type, occurred_at, ip_address)`;
const DELIVERED = "EXISTS (SELECT 1 FROM delivered_pairs p WHERE p.node_id = $1 AND p.user_id = ";

type Columns = readonly [user: number, protocol: string, type: string, at: number, ip: string];

/** Keeps session events. */
export class SessionEvents {
  readonly #db: Database;
  readonly #metrics: CoreParts["metrics"];

  constructor({ db, jobs, metrics, runtime: { clock } }: Pick<CoreParts, "db" | "jobs" | "metrics" | "runtime">) {
    this.#db = db;
    this.#metrics = metrics;
    jobs.every("nodes.session_events", TIDY_MS, async (signal) => {
      await this.tidy(Math.floor(clock.wall()) - SESSION_EVENTS_KEPT_MS, signal);
    });
  }

  /** Keeps those that are new. */
  async keep(nodeId: number, events: readonly SessionEvent[]): Promise<void> {
    if (events.length === 0) return;
    const rows = events.map(({ userId, protocol, eventType, occurredAt, ipAddress }): Columns => [
      userId,
      protocol,
      eventType,
      occurredAt,
      ipAddress ?? "",
    ]);
    // In one order, so that two reports with the same events never wait for each other in a circle.
    rows.sort(([userA, , , atA], [userB, , , atB]) => userA - userB || atA - atB);
    const kept = this.#db.dialect === "postgres" ? await this.#insertAtOnce(nodeId, rows) : await this.#db.execMany(
      `${INSERT} SELECT $1, $2, $3, $4, $5, $6 WHERE ${DELIVERED} $2) ON CONFLICT DO NOTHING`,
      rows.map((row) => [nodeId, ...row]),
    );
    this.#metrics.count("core_session_events_total", events.length);
    this.#metrics.count("core_session_events_kept_total", kept);
  }

  /** Deletes those before a moment. */
  async tidy(before: number, signal: AbortSignal): Promise<void> {
    const key = "(user_id, occurred_at, node_id, protocol, event_type, ip_address)";
    let deleted = AT_ONCE;
    while (deleted === AT_ONCE && !signal.aborted) {
      deleted = await this.#db.exec(
        `DELETE FROM session_events WHERE ${key} IN (
           SELECT user_id, occurred_at, node_id, protocol, event_type, ip_address
           FROM session_events WHERE occurred_at < $1 LIMIT ${AT_ONCE}
         )`,
        [before],
      );
    }
  }

  async #insertAtOnce(nodeId: number, rows: readonly Columns[]): Promise<number> {
    return await this.#db.exec(
      `${INSERT} SELECT $1::bigint, d.user_id, d.protocol, d.event_type, d.occurred_at, d.ip_address
       FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[])
         AS d (user_id, protocol, event_type, occurred_at, ip_address)
       WHERE ${DELIVERED} d.user_id) ON CONFLICT DO NOTHING`,
      [
        nodeId,
        rows.map(([user]) => user),
        rows.map(([, protocol]) => protocol),
        rows.map(([, , type]) => type),
        rows.map(([, , , at]) => at),
        rows.map(([, , , , ip]) => ip),
      ],
    );
  }
}
