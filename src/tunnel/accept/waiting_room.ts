/**
 * Connections that have not said who they are yet: bounded per source and in all.
 *
 * @module
 */
import type { Source, Standing } from "./sources.ts";

/** How many may wait. */
export interface WaitingLimits {
  readonly total: number;
  readonly perSource: Readonly<Record<Standing, number>>;
}

/** What the tunnel port allows. A trusted proxy is bounded by the total alone. */
export const WAITING_LIMITS: WaitingLimits = {
  total: 256,
  perSource: { stranger: 16, vouched: 128, trusted: 256 },
};

/** The share of one of `workers` workers; connections spread by chance, so nobody's share is too small to get in. */
export function shareOfWaiting(workers: number): WaitingLimits {
  const share = (limit: number, least: number): number => Math.max(Math.min(limit, least), Math.ceil(limit / workers));
  const { total, perSource } = WAITING_LIMITS;
  return {
    total: share(total, 32),
    perSource: {
      stranger: share(perSource.stranger, 4),
      vouched: share(perSource.vouched, 16),
      trusted: share(perSource.trusted, 32),
    },
  };
}

/** The connections of one source, oldest first. */
interface Group {
  limit: number;
  readonly waiting: Map<number, () => void>;
}

/**
 * Admits everyone and pushes out the oldest instead: whoever behaves is gone from here within two round trips, so the
 * oldest is the likeliest to be hostile, and a source full of silent sockets does not lock out its neighbours.
 */
export class WaitingRoom {
  readonly #limits: WaitingLimits;
  readonly #groups = new Map<string, Group>();
  #size = 0;
  #next = 0;

  constructor(limits: WaitingLimits = WAITING_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /** How many of this source wait. */
  sizeOf(key: string): number {
    return this.#groups.get(key)?.waiting.size ?? 0;
  }

  /**
   * Lets one in, after pushing out another where a limit is reached.
   *
   * @param evict called at most once, when this one is pushed out; it has left by then
   * @returns leaves the room; idempotent
   */
  enter(source: Source, evict: () => void): () => void {
    const limit = this.#limits.perSource[source.standing];
    const own = this.#groups.get(source.key);
    if (own !== undefined) {
      own.limit = limit;
      while (own.waiting.size >= limit) this.#evictOldest(source.key, own);
    }
    while (this.#size >= this.#limits.total) this.#evictHeaviest();
    const group = this.#groups.get(source.key) ?? { limit, waiting: new Map() };
    this.#groups.set(source.key, group);
    const id = this.#next++;
    group.waiting.set(id, evict);
    this.#size++;
    return () => this.#remove(source.key, group, id);
  }

  #remove(key: string, group: Group, id: number): void {
    if (!group.waiting.delete(id)) return;
    this.#size--;
    if (group.waiting.size === 0) this.#groups.delete(key);
  }

  #evictOldest(key: string, group: Group): void {
    const [id, evict] = group.waiting.entries().next().value!;
    this.#remove(key, group, id);
    evict();
  }

  /** Weight is relative to what a source may have, so that strangers give way before a client's own links. */
  #evictHeaviest(): void {
    let heaviest: [string, Group] | null = null;
    let heaviestWeight = -1;
    let heaviestAge = Infinity;
    for (const [key, group] of this.#groups) {
      const weight = group.waiting.size / group.limit;
      if (weight < heaviestWeight) continue;
      const age = group.waiting.keys().next().value!;
      if (weight === heaviestWeight && age > heaviestAge) continue;
      heaviest = [key, group];
      heaviestWeight = weight;
      heaviestAge = age;
    }
    if (heaviest !== null) this.#evictOldest(...heaviest);
  }
}
