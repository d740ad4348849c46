/**
 * Work that is done again and again, by one of the replicas at a time.
 *
 * @module
 */

/** Options of `Jobs.every`. */
export interface JobOptions {
  /** Only one replica runs it at a time, and no replica earlier than one period after the last run. @default true */
  readonly lease?: boolean;
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
  /** Starts no more runs and waits for those that are under way. Idempotent. */
  close(): Promise<void>;
}
