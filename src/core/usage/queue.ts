/**
 * Reports that are written together: one commit for all that came while the one before was under way.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import type { Clock } from "../../runtime/types.ts";
import { Failure, isFailure } from "../failure.ts";
import { Appointments } from "./appointments.ts";
import { type Outcome, type Report, sizeOf } from "./report.ts";

/** Reports of one commit. */
const MOST_REPORTS = 200;
/** However slow the database is: a commit of fewer would cost more than what is in it. */
const LEAST_ENTRIES = 2_000;
const RETRY_MS = 5_000;

/** Writes reports in one transaction and says what came of each. */
export type WriteReports = (reports: readonly Report[]) => Promise<readonly Outcome[]>;

/** What a queue needs. */
export interface QueueParts {
  readonly write: WriteReports;
  /** A commit takes no more entries, unless one report alone has more. */
  readonly mostEntries: number;
  /** Nor more than are written in about so many milliseconds; a few thousand it always takes. */
  readonly mostMs: number;
  /** Entries per millisecond before anything was measured. */
  readonly firstRate: number;
  /**
   * Before each commit: what arrives meanwhile goes together, and everybody else on the thread has their turn, which
   * SQLite never lets them have.
   */
  readonly pause: () => Promise<void>;
  /** Says how fast the database is. */
  readonly clock: Clock;
}

interface Waiting {
  readonly report: Report;
  readonly settle: (outcome: Outcome) => void;
}

/** One queue in front of the database. Reports of it are written in the order in which they came. */
export class ReportQueue {
  readonly #parts: QueueParts;
  readonly #appointments: Appointments;
  #waiting: Waiting[] = [];
  #size = 0;
  #running: Promise<void> | null = null;
  #closed = false;

  /** An empty queue. */
  constructor(parts: QueueParts) {
    this.#parts = parts;
    this.#appointments = new Appointments(parts.clock, parts.firstRate);
  }

  /**
   * Whether a report of about so many entries may come.
   *
   * @throws {Failure} what would refuse it
   */
  admit(entries: number): void {
    if (this.#closed) throw busy("Core is ending");
    const retryAfterMs = this.#appointments.refuse(1 + entries, this.#size);
    if (retryAfterMs !== null) throw busy("Too much is reported at once", retryAfterMs);
  }

  /**
   * Resolves when the report is stored durably.
   *
   * @throws {Failure} what refuses it
   */
  async add(report: Report): Promise<Exclude<Outcome, Failure>> {
    this.admit(sizeOf(report) - 1);
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#waiting.push({ report, settle: resolve });
    this.#size += sizeOf(report);
    this.#running ??= this.#run();
    const outcome = await promise;
    if (outcome instanceof Failure) throw outcome;
    return outcome;
  }

  /** Writes what waits and takes nothing more. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, pause } = this.#parts;
    while (this.#waiting.length > 0) {
      const startedAt = clock.now();
      await pause();
      const group = this.#next();
      const outcomes = await this.#attempt(group.map(({ report }) => report));
      // Duplicates cost nearly nothing: they would tell of a database that is faster than it is.
      const applied = group.filter((_, at) => outcomes[at] === "applied");
      this.#appointments.measured(sizeOfAll(applied), startedAt);
      for (const [at, { settle }] of group.entries()) settle(outcomes[at] ?? broken("no outcome"));
    }
    this.#running = null;
  }

  #next(): readonly Waiting[] {
    const { mostEntries, mostMs } = this.#parts;
    const most = Math.min(mostEntries, Math.max(LEAST_ENTRIES, this.#appointments.writtenIn(mostMs)));
    let size = 0;
    let count = 0;
    for (const { report } of this.#waiting) {
      if (count > 0 && (count === MOST_REPORTS || size + sizeOf(report) > most)) break;
      size += sizeOf(report);
      count++;
    }
    this.#size -= size;
    const group = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return group;
  }

  /** Never rejects. What one report does to the database must not be the fault of the others. */
  async #attempt(reports: readonly Report[]): Promise<readonly Outcome[]> {
    try {
      return await this.#parts.write(reports);
    } catch (error) {
      const failure = error instanceof Failure ? error : broken(messageOf(error), error);
      if (reports.length === 1 || isFailure(failure, "STORE_UNAVAILABLE")) return reports.map(() => failure);
      const outcomes: Outcome[] = [];
      for (const report of reports) outcomes.push(...await this.#attempt([report]));
      return outcomes;
    }
  }
}

function sizeOfAll(waiting: readonly Waiting[]): number {
  return waiting.reduce((sum, { report }) => sum + sizeOf(report), 0);
}

function busy(reason: string, retryAfterMs: number = RETRY_MS): Failure {
  return new Failure("STORE_UNAVAILABLE", `Cannot take the report: ${reason}`, { retryAfterMs });
}

function broken(reason: string, cause?: unknown): Failure {
  return new Failure("INTERNAL", `Cannot store the report: ${reason}`, { cause });
}
