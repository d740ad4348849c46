/**
 * Counts traffic, each report exactly once.
 *
 * @module
 */
import type { AdminUsage } from "../admin/deps.ts";
import type { Composition } from "../composition/types.ts";
import type { OutboundUsageBatch, UsageBatch } from "../contract/types.ts";
import { recount } from "./counted.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { beginFolding } from "./folded.ts";
import { type LimitParts, watchExpiry } from "./limits.ts";
import { ReportQueue } from "./queue.ts";
import { readUsage } from "./read.ts";
import type { Report } from "./report.ts";
import { keepUp } from "./upkeep.ts";
import { ReportWriter } from "./write.ts";

/** What is counted. */
export interface Usage extends AdminUsage {
  /**
   * Whether a report of about so many entries may come, asked before anybody reads it.
   *
   * @throws {Failure} STORE_UNAVAILABLE, with the time when it shall come
   */
  admit(nodeId: number, entries: number): void;
  /**
   * Counts traffic of users; resolves when it is stored durably. A report that was counted already changes nothing.
   *
   * @throws {Failure} SEQ_GAP, RATE_LIMITED, STORE_UNAVAILABLE
   */
  report(nodeId: number, batch: UsageBatch): Promise<void>;
  /** The same for outbounds. One without a place in a stream is counted as often as it comes. */
  outbound(nodeId: number, batch: OutboundUsageBatch): Promise<void>;
  /** Writes what waits. Idempotent. */
  close(): Promise<void>;
}

/** PostgreSQL takes two commits at once, more wait for each other; the reports of one node stay in one queue. */
const LANES = { sqlite: 1, postgres: 2 } as const;
/** What a commit takes: SQLite writes on the thread that answers everybody, and locks of PostgreSQL are held meanwhile. */
const MOST_ENTRIES = { sqlite: 8_000, postgres: 5_000 } as const;
/** How long everybody else waits for a commit of SQLite; one of PostgreSQL keeps nobody waiting. */
const MOST_MS = { sqlite: 200, postgres: Infinity } as const;
/** Entries that the database is expected to write in a millisecond, before it was measured. */
const FIRST_RATE = 20;
/** How long reports wait for others. */
const GATHER_MS = { sqlite: 20, postgres: 0 } as const;

/** What this needs besides the parts of Core. */
export interface UsageDeps {
  readonly composition: Pick<Composition, "mark" | "changed">;
  /** Reports that come within so many milliseconds are written together; 0 on a clock that stands still. */
  readonly gatherMs?: number;
}

/** Counts on the database of these parts. */
export function createUsage(
  parts: LimitParts,
  { composition, gatherMs = GATHER_MS[parts.db.dialect] }: UsageDeps,
): Usage {
  const { db, metrics, runtime: { clock } } = parts;
  const writer = new ReportWriter(parts, composition);
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      if (gatherMs > 0) clock.after(gatherMs, resolve);
      else clock.soon(resolve);
    });
  const queues = Array.from(
    { length: LANES[db.dialect] },
    () =>
      new ReportQueue({
        write: (reports) => writer.write(reports),
        mostEntries: MOST_ENTRIES[db.dialect],
        mostMs: MOST_MS[db.dialect],
        firstRate: FIRST_RATE / LANES[db.dialect],
        ...{ pause, clock },
      }),
  );
  const queueOf = (nodeId: number): ReportQueue | undefined => queues[nodeId % queues.length];
  const begun = Promise.all([beginFolding(db).catch(() => {}), keepUp(parts)]);
  watchExpiry(parts, composition);

  const take = async (report: Report): Promise<void> => {
    await begun;
    const outcome = await queueOf(report.nodeId)?.add(report);
    metrics.count("core_usage_reports_total", 1, { kind: report.kind, outcome: outcome ?? "" });
    if (outcome === "applied") metrics.count("core_usage_entries_total", report.entries.length);
  };
  return {
    admit: (nodeId, entries) => queueOf(nodeId)?.admit(entries),
    async report(nodeId, { entries, ...place }) {
      const numbered = place.stream !== undefined && place.seq !== undefined;
      if (!numbered && entries.length === 0) return;
      const fingerprint = numbered ? null : await fingerprintOf(nodeId, entries);
      await take({ kind: "usage", nodeId, place: numbered ? place : {}, entries, items: [], fingerprint });
    },
    async outbound(nodeId, { items, ...place }) {
      const numbered = place.stream !== undefined && place.seq !== undefined;
      if (!numbered && items.length === 0) return;
      await take({ kind: "outbound", nodeId, place: numbered ? place : {}, entries: [], items, fingerprint: null });
    },
    read: (of, range) => readUsage(db, of, range, Math.floor(clock.wall())),
    recount,
    // Everything is read in the transaction that counts it.
    forget() {},
    async close() {
      await begun;
      await Promise.all(queues.map((queue) => queue.close()));
    },
  };
}
