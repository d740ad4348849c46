/**
 * Work that is done again and again, by one of the replicas at a time.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import type { Logger } from "../log/types.ts";
import type { Clock, Random, Runtime, Timer } from "../runtime/types.ts";
import { Lease } from "./lease.ts";
import { base64Url } from "./secret.ts";
import type { Database } from "./store/database.ts";

/** Options of `Jobs.every`. */
export interface JobOptions {
  /** Only one replica runs it at a time, and none before most of a period went by since the last run. @default true */
  readonly lease?: boolean;
  /** Whether there is anything to do: asked before the lease is taken, so that a pause writes nothing. @default yes */
  readonly due?: () => Promise<boolean>;
}

/** Periodic work. */
export interface Jobs {
  /**
   * Runs `run` about every `ms` (each pause is varied by a tenth), the first time after one pause, never twice at the same
   * time. What it throws is logged.
   *
   * @param run gives up when the signal aborts: at the end of Core, or when the lease was lost
   */
  every(name: string, ms: number, run: (signal: AbortSignal) => Promise<void>, options?: JobOptions): void;
  /** Starts no more runs, asks those under way to give up and waits for them. Idempotent. */
  close(): Promise<void>;
}

/** Pauses are between 0.9 and 1.1 times what was asked for. */
const JITTER = 0.1;
/** Work that is rarer than this is looked for more often: a restart must not put a daily job off for another day. */
const LONGEST_PAUSE_MS = 600_000;

/** Work of this replica. */
export function createJobs(
  { runtime: { clock, random }, logger, db }: {
    readonly runtime: Pick<Runtime, "clock" | "random">;
    readonly logger: Logger;
    readonly db: Database;
  },
): Jobs {
  return new CoreJobs(clock, random, logger, db);
}

interface Job {
  readonly name: string;
  readonly ms: number;
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly lease: Lease | null;
  readonly due: (() => Promise<boolean>) | undefined;
}

class CoreJobs implements Jobs {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #db: Database;
  readonly #holder: string;
  readonly #ending = new AbortController();
  readonly #timers = new Map<Job, Timer>();
  readonly #running = new Set<Promise<void>>();

  constructor(clock: Clock, random: Random, logger: Logger, db: Database) {
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
    this.#db = db;
    this.#holder = base64Url(random.bytes(12));
  }

  every(
    name: string,
    ms: number,
    run: (signal: AbortSignal) => Promise<void>,
    { lease = true, due }: JobOptions = {},
  ): void {
    if (this.#ending.signal.aborted) return;
    const held = lease ? new Lease(this.#db, this.#clock, name, this.#holder) : null;
    this.#schedule({ name, ms, run, lease: held, due });
  }

  async close(): Promise<void> {
    this.#ending.abort();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    await Promise.all(this.#running);
  }

  #schedule(job: Job): void {
    const pause = job.lease === null ? job.ms : Math.min(job.ms, LONGEST_PAUSE_MS);
    const varied = pause * (1 - JITTER + 2 * JITTER * this.#random.fraction());
    this.#timers.set(
      job,
      this.#clock.after(varied, () => {
        const running = this.#run(job).finally(() => {
          this.#running.delete(running);
          if (!this.#ending.signal.aborted) this.#schedule(job);
        });
        this.#running.add(running);
      }),
    );
  }

  async #run({ name, ms, run, lease, due }: Job): Promise<void> {
    try {
      if (due !== undefined && !await due()) return;
      if (lease === null) return await run(this.#ending.signal);
      await lease.hold(ms * (1 - 2 * JITTER), this.#ending.signal, run);
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#logger.error("A job failed", { job: name, reason: messageOf(error) });
    }
  }
}
