/**
 * One coarse timer per instance that ends silent sessions, so that the relay itself does no work per chunk.
 *
 * @module
 */
import type { Clock, Timer } from "../runtime/types.ts";

/** Short limits are looked at this many times before they fire. */
const LOOKS_PER_LIMIT = 4;
const SHORTEST_TICK_MS = 20;

/** Byte counts of a session: both directions together decide whether it is idle. */
export interface Counted {
  readonly rx: number;
  readonly tx: number;
}

/** One watched session. */
interface Watched {
  readonly meter: Counted;
  readonly idleMs: number;
  readonly onIdle: () => void;
  total: number;
  since: number;
}

/** Compares byte counts at each tick. Its timer runs only while something is watched. */
export class IdleSweeper {
  readonly #clock: Clock;
  readonly #watched = new Set<Watched>();
  readonly #ticks = new Set<(now: number) => void>();
  readonly #longestTickMs: number;
  #tickMs: number;
  #timer: Timer | null = null;
  #closed = false;

  /** @param tickMs a limit fires at most two ticks late; limits under four ticks shorten the tick */
  constructor(clock: Clock, tickMs = 1000) {
    this.#clock = clock;
    this.#longestTickMs = tickMs;
    this.#tickMs = tickMs;
  }

  /**
   * Calls `onIdle` once when `meter` has not moved for `idleMs`, never earlier.
   *
   * @returns stops watching; idempotent
   */
  watch(meter: Counted, idleMs: number, onIdle: () => void): () => void {
    const entry: Watched = { meter, idleMs, onIdle, total: meter.rx + meter.tx, since: this.#clock.now() };
    this.#watched.add(entry);
    this.#start(Math.max(SHORTEST_TICK_MS, idleMs / LOOKS_PER_LIMIT));
    return () => {
      if (this.#watched.delete(entry)) this.#stopWhenUnused();
    };
  }

  /**
   * Calls `run` at each tick.
   *
   * @returns stops it; idempotent
   */
  onTick(run: (now: number) => void): () => void {
    const own = (now: number) => run(now);
    this.#ticks.add(own);
    this.#start(this.#longestTickMs);
    return () => {
      if (this.#ticks.delete(own)) this.#stopWhenUnused();
    };
  }

  /** Stops the timer for good and calls nobody. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#watched.clear();
    this.#ticks.clear();
    this.#stopWhenUnused();
  }

  #start(wantedTickMs: number): void {
    if (this.#closed || (this.#timer !== null && wantedTickMs >= this.#tickMs)) return;
    this.#timer?.cancel();
    this.#tickMs = Math.min(this.#tickMs, wantedTickMs);
    this.#timer = this.#clock.every(this.#tickMs, () => this.#tick());
  }

  #stopWhenUnused(): void {
    if (this.#watched.size > 0 || this.#ticks.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#tickMs = this.#longestTickMs;
  }

  #tick(): void {
    const now = this.#clock.now();
    for (const entry of this.#watched) {
      const total = entry.meter.rx + entry.meter.tx;
      if (total !== entry.total) {
        entry.total = total;
        entry.since = now;
      } else if (now - entry.since >= entry.idleMs) {
        this.#watched.delete(entry);
        entry.onIdle();
      }
    }
    for (const run of this.#ticks) run(now);
    this.#stopWhenUnused();
  }
}
