/**
 * Values that die by themselves, in the memory of this process.
 *
 * @module
 */
import type { Clock, Timer } from "../../runtime/types.ts";
import type { EphemeralEntry, EphemeralStore } from "./types.ts";

/** Dead values are thrown away this often; nobody sees them meanwhile. */
const SWEEP_MS = 1_000;
/** Keys in one page of a scan. */
const PAGE = 1_000;

interface Kept {
  value: string;
  /** On the clock that never jumps. */
  until: number;
  /** Grows with every new key: where a scan goes on. */
  readonly serial: number;
}

/** Keys in this process: one Core alone needs no more. */
export function createMemoryStore({ clock }: { readonly clock: Clock }): EphemeralStore {
  return new MemoryStore(clock);
}

/** Keys by what stands before their last colon, because that is what is counted and scanned. */
class MemoryStore implements EphemeralStore {
  readonly #clock: Clock;
  readonly #groups = new Map<string, Map<string, Kept>>();
  readonly #timer: Timer;
  #serial = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timer = clock.every(SWEEP_MS, () => this.#sweep());
  }

  setEx(key: string, value: string, ttlS: number): Promise<string | null> {
    return Promise.resolve(this.#set({ key, value, ttlS }));
  }

  setExMany(entries: readonly EphemeralEntry[]): Promise<(string | null)[]> {
    return Promise.resolve(entries.map((entry) => this.#set(entry)));
  }

  get(key: string): Promise<string | null> {
    return Promise.resolve(this.#read(key));
  }

  getMany(keys: readonly string[]): Promise<(string | null)[]> {
    return Promise.resolve(keys.map((key) => this.#read(key)));
  }

  scan(prefix: string, cursor: string | null): Promise<{ keys: string[]; cursor: string | null }> {
    const after = cursor === null ? 0 : Number(cursor);
    const found: [serial: number, key: string][] = [];
    for (const [key, { serial }] of this.#living(prefix)) if (serial > after) found.push([serial, key]);
    found.sort(([a], [b]) => a - b);
    const page = found.slice(0, PAGE);
    const last = found.length > PAGE ? String(page.at(-1)![0]) : null;
    return Promise.resolve({ keys: page.map(([, key]) => key), cursor: last });
  }

  count(prefix: string): Promise<number> {
    let count = 0;
    for (const _ of this.#living(prefix)) count++;
    return Promise.resolve(count);
  }

  close(): Promise<void> {
    this.#timer.cancel();
    this.#groups.clear();
    return Promise.resolve();
  }

  #set({ key, value, ttlS }: EphemeralEntry): string | null {
    const now = this.#clock.now();
    const name = groupOf(key);
    let group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, group = new Map());
    const kept = group.get(key);
    const until = now + ttlS * 1_000;
    if (kept === undefined) {
      group.set(key, { value, until, serial: ++this.#serial });
      return null;
    }
    const before = kept.until > now ? kept.value : null;
    kept.value = value;
    kept.until = until;
    return before;
  }

  #read(key: string): string | null {
    const kept = this.#groups.get(groupOf(key))?.get(key);
    return kept !== undefined && kept.until > this.#clock.now() ? kept.value : null;
  }

  *#living(prefix: string): Iterable<[string, Kept]> {
    const now = this.#clock.now();
    for (const [name, group] of this.#groups) {
      if (!name.startsWith(prefix) && !prefix.startsWith(name)) continue;
      for (const entry of group) if (entry[1].until > now && entry[0].startsWith(prefix)) yield entry;
    }
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const [name, group] of this.#groups) {
      for (const [key, { until }] of group) if (until <= now) group.delete(key);
      if (group.size === 0) this.#groups.delete(name);
    }
  }
}

function groupOf(key: string): string {
  return key.slice(0, key.lastIndexOf(":") + 1);
}
