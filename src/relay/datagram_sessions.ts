/**
 * The UDP sessions of one socket or link: found by key, ended after silence, bounded.
 *
 * @module
 */
import type { Clock } from "../runtime/types.ts";

/** Why the table ended a session. */
export type DatagramSessionEnd = "expired" | "evicted" | "cut";

/** Sessions that were silent for less than this are left alone when the table drains. */
const DRAIN_SILENCE_MS = 2_000;

/** What the table keeps for each session; owners extend it. */
export abstract class DatagramSession<K> {
  readonly key: K;
  /** Managed by the table. */
  seenAt = 0;
  /** Managed by the table: null once ended. */
  list: DatagramSessionList<K> | null = null;
  /** Managed by the table. */
  older: DatagramSession<K> | null = null;
  /** Managed by the table. */
  newer: DatagramSession<K> | null = null;

  constructor(key: K) {
    this.key = key;
  }

  /** Frees what the session holds. Called once, by the table, which has forgotten it by then. */
  abstract onEnd(reason: DatagramSessionEnd): void;
}

/** Sessions from the one that was silent longest to the one that spoke last. */
export class DatagramSessionList<K> {
  oldest: DatagramSession<K> | null = null;
  newest: DatagramSession<K> | null = null;
  size = 0;

  append(session: DatagramSession<K>): void {
    session.list = this;
    session.older = this.newest;
    session.newer = null;
    if (this.newest === null) this.oldest = session;
    else this.newest.newer = session;
    this.newest = session;
    this.size++;
  }

  remove(session: DatagramSession<K>): void {
    if (session.older === null) this.oldest = session.newer;
    else session.older.newer = session.newer;
    if (session.newer === null) this.newest = session.older;
    else session.newer.older = session.older;
    session.list = session.older = session.newer = null;
    this.size--;
  }
}

/** Options of {@linkcode DatagramSessions}. */
export interface DatagramSessionsOptions {
  readonly clock: Clock;
  /** A session ends this long after its last packet in either direction. */
  readonly expiryMs: number;
  /** Calls at each coarse tick until the returned function is called (`IdleSweeper.onTick`). */
  readonly onTick: (run: (now: number) => void) => () => void;
}

/**
 * Sessions by key, ended by a coarse tick: no timer and no clock call per session or packet.
 *
 * New sessions are on trial until their key speaks a second time, so that a flood of made-up sources pushes out its own
 * sessions and not the ones in use.
 */
export class DatagramSessions<K, S extends DatagramSession<K>> {
  readonly #sessions = new Map<K, S>();
  readonly #trial = new DatagramSessionList<K>();
  readonly #proven = new DatagramSessionList<K>();
  readonly #options: DatagramSessionsOptions;
  #expiryMs: number;
  #now: number;
  #stopTicks: (() => void) | null = null;

  constructor(options: DatagramSessionsOptions) {
    this.#options = options;
    this.#expiryMs = options.expiryMs;
    this.#now = options.clock.now();
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** The live session of this key. Call `heard` when it is for a packet from the key's owner. */
  get(key: K): S | undefined {
    return this.#sessions.get(key);
  }

  add(session: S): void {
    if (this.#stopTicks === null) {
      this.#now = this.#options.clock.now();
      this.#stopTicks = this.#options.onTick((now) => this.#sweep(now));
    }
    session.seenAt = this.#now;
    this.#sessions.set(session.key, session);
    this.#trial.append(session);
  }

  /** A further packet from the key's owner. */
  heard(session: S): void {
    // The order is kept to one tick, which makes the usual packet free.
    if (session.list === this.#proven && session.seenAt === this.#now) return;
    this.#move(session, this.#proven);
  }

  /** A packet to the key's owner. */
  answered(session: S): void {
    if (session.seenAt !== this.#now && session.list !== null) this.#move(session, session.list);
  }

  /** Ends a session. Idempotent. */
  end(session: S, reason: DatagramSessionEnd): void {
    if (session.list === null) return;
    session.list.remove(session);
    this.#sessions.delete(session.key);
    if (this.#sessions.size === 0) {
      this.#stopTicks?.();
      this.#stopTicks = null;
    }
    session.onEnd(reason);
  }

  /** Ends the session that is worth least: the longest silent one; false when there is none. */
  evict(): boolean {
    // Sessions on trial keep an eighth of the table, so that newcomers can prove themselves when the rest is busy.
    const newcomersFirst = this.#trial.size * 8 >= this.#sessions.size;
    const victim = (newcomersFirst ? this.#trial.oldest : this.#proven.oldest) ?? this.#trial.oldest;
    if (victim === null) return false;
    this.end(victim as S, "evicted");
    return true;
  }

  /** From now on a short silence is enough to end a session: for an owner that closes. */
  drain(): void {
    this.#expiryMs = Math.min(this.#expiryMs, DRAIN_SILENCE_MS);
    this.#sweep(this.#options.clock.now());
  }

  /** Ends all of them. */
  endAll(): void {
    for (const session of [...this.#sessions.values()]) this.end(session, "cut");
  }

  #move(session: S, to: DatagramSessionList<K>): void {
    if (session.list === null) return;
    session.list.remove(session);
    session.seenAt = this.#now;
    to.append(session);
  }

  #sweep(now: number): void {
    this.#now = now;
    for (const list of [this.#trial, this.#proven]) {
      while (list.oldest !== null && now - list.oldest.seenAt >= this.#expiryMs) this.end(list.oldest as S, "expired");
    }
  }
}
