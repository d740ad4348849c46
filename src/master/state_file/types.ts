/**
 * What a master keeps over its own end.
 *
 * @module
 */
import type { StoredInstance } from "../instance.ts";

/** Everything that is stored. */
export interface MasterState {
  /** 16 lower-case hex digits, made once. */
  readonly masterId: string;
  readonly alias: string;
  /** 32 lower-case hex digits. */
  readonly apiKey: string;
  /** Grows by one at each start. */
  readonly run: number;
  /** Wire of instances that name none, when it differs from the default: after an import. */
  readonly wire: "secure" | "1.14";
  readonly instances: readonly StoredInstance[];
}

/** The state on disk. */
export interface StateStore {
  /** What was there; null at the very first start. */
  readonly initial: MasterState | null;
  /**
   * Writes the state. Calls queue: each resolves when a state at least as new as its own is in place, and bursts share
   * one write.
   *
   * A write that fails rejects everything that is queued behind it, too: those states were made out of the one that
   * failed.
   *
   * @param options.sync false: counters alone changed, and nobody waits for the disk itself
   * @throws {NodePassError} `no_space` or `io`: the old file is intact; `locked`: another process took the directory
   *   over; `closed`
   */
  save(state: MasterState, options?: { readonly sync: boolean }): Promise<void>;
  /** Waits for what is queued and lets go of the directory. Idempotent. */
  close(): Promise<void>;
}
