/**
 * The port for values that die by themselves: who is online, and the latest figures of nodes.
 *
 * @module
 */

/** One value with its time to live. */
export interface EphemeralEntry {
  readonly key: string;
  readonly value: string;
  readonly ttlS: number;
}

/** Keys that expire. Rejects with a `Failure` `STORE_UNAVAILABLE`. */
export interface EphemeralStore {
  /** Writes, and reads what was there before, in one step. */
  setEx(key: string, value: string, ttlS: number): Promise<string | null>;
  /** The same for many, in one go. */
  setExMany(entries: readonly EphemeralEntry[]): Promise<(string | null)[]>;
  get(key: string): Promise<string | null>;
  getMany(keys: readonly string[]): Promise<(string | null)[]>;
  /** Some keys with this prefix, and where to go on; a null cursor is the end. */
  scan(prefix: string, cursor: string | null): Promise<{ keys: string[]; cursor: string | null }>;
  /** Keys with this prefix now. */
  count(prefix: string): Promise<number>;
  /** Idempotent. */
  close(): Promise<void>;
}
