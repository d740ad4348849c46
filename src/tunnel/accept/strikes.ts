/**
 * Bad openings, counted per source: who sends too many is refused for a while.
 *
 * @module
 */
import type { Source, Standing } from "./sources.ts";

/** How many bad openings a source may send, and what follows. */
export interface StrikeLimits {
  readonly windowMs: number;
  readonly perWindow: Readonly<Record<Standing, number>>;
  readonly refusalMs: Readonly<Record<Standing, number>>;
  /** Sources that are remembered; the one not heard of for longest is forgotten. */
  readonly sources: number;
}

/**
 * What the tunnel port allows. A source with a live control channel, or a trusted proxy, holds innocent clients as well:
 * it is refused only at a rate that would cost real time, and only for moments.
 */
export const STRIKE_LIMITS: StrikeLimits = {
  windowMs: 10_000,
  perWindow: { stranger: 20, vouched: 4_000, trusted: 4_000 },
  refusalMs: { stranger: 10_000, vouched: 1_000, trusted: 1_000 },
  sources: 4_096,
};

/** What is remembered of one source. */
interface Tally {
  windowStart: number;
  strikes: number;
  refusedUntil: number;
  /** Its standing when it was refused. */
  refusedAs: Standing;
}

/** Counts strikes in windows that begin with a source's first one. */
export class Strikes {
  readonly #limits: StrikeLimits;
  readonly #now: () => number;
  readonly #tallies = new Map<string, Tally>();

  /** @param now milliseconds of a clock that never jumps */
  constructor(now: () => number, limits: StrikeLimits = STRIKE_LIMITS) {
    this.#now = now;
    this.#limits = limits;
  }

  /** Sources that are remembered. */
  get size(): number {
    return this.#tallies.size;
  }

  /** Whether a connection from there is closed at once. */
  refuses(source: Source): boolean {
    const tally = this.#tallies.get(source.key);
    if (tally === undefined || tally.refusedUntil <= this.#now()) return false;
    // What an address did before a client proved itself from there does not count against that client.
    return tally.refusedAs !== "stranger" || source.standing === "stranger";
  }

  /** Counts a bad opening; true when it was one too many and the source is refused from now on. */
  add(source: Source): boolean {
    const now = this.#now();
    const tally = this.#touch(source.key, now);
    if (now - tally.windowStart >= this.#limits.windowMs) {
      tally.windowStart = now;
      tally.strikes = 0;
    }
    tally.strikes++;
    if (tally.strikes < this.#limits.perWindow[source.standing] || this.refuses(source)) return false;
    tally.refusedUntil = now + this.#limits.refusalMs[source.standing];
    tally.refusedAs = source.standing;
    tally.strikes = 0;
    return true;
  }

  /** The tally of a source, moved behind all others; the foremost is forgotten when there are too many. */
  #touch(key: string, now: number): Tally {
    const known = this.#tallies.get(key);
    const tally = known ?? { windowStart: now, strikes: 0, refusedUntil: -Infinity, refusedAs: "stranger" };
    this.#tallies.delete(key);
    this.#tallies.set(key, tally);
    if (this.#tallies.size > this.#limits.sources) {
      for (const oldest of this.#tallies.keys()) {
        this.#tallies.delete(oldest);
        break;
      }
    }
    return tally;
  }
}
