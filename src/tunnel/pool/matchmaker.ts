/**
 * Where visitors are matched to links: the other end with a ready link and the fewest sessions, first come first served.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Clock, Timer } from "../../runtime/types.ts";

/** Visitors that may wait for a link at once. */
const MAX_WAITING = 65_536;
/** A demand counts for a second at the end that opens links: it is repeated while visitors wait. */
const ASK_AGAIN_MS = 500;

/** Where links come from: those of one other end. */
export interface LinkSupplier<L> {
  /** Links that wait for a visitor. */
  readonly ready: number;
  /** Visitors that are being served. */
  readonly sessions: number;
  /** One that waits, or null. */
  take(): L | null;
}

interface Waiting<L> {
  readonly resolve: (link: L) => void;
  readonly reject: (error: NodePassError) => void;
  readonly timer: Timer;
  done: boolean;
}

/** See the module. `L`: the links of a dialect. */
export class Matchmaker<L> {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #ask: (waiting: number) => void;
  readonly #peers = new Set<LinkSupplier<L>>();
  readonly #queue: Waiting<L>[] = [];
  readonly #askAgainMs: number;
  #waiting = 0;
  #closed = false;
  #asking: Timer | null = null;

  /**
   * @param timeoutMs how long a visitor waits for a link
   * @param ask called with the number of waiting visitors when it grew and while any wait: more links are needed
   * @param askAgainMs how often while they wait
   */
  constructor(clock: Clock, timeoutMs: number, ask: (waiting: number) => void, askAgainMs: number = ASK_AGAIN_MS) {
    this.#askAgainMs = askAgainMs;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#ask = ask;
  }

  /** Visitors that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  add(peer: LinkSupplier<L>): void {
    this.#peers.add(peer);
    this.offer();
  }

  remove(peer: LinkSupplier<L>): void {
    this.#peers.delete(peer);
  }

  /** A ready link for one visitor: at once, or when one becomes ready. Rejects with `timed_out` or `closed`. */
  take(): L | Promise<L> {
    const link = this.#waiting === 0 ? this.#takeReady() : null;
    if (link !== null) return link;
    if (this.#closed) return Promise.reject(closing());
    if (this.#waiting >= MAX_WAITING) {
      return Promise.reject(new NodePassError("limit", `Cannot wait for a link: ${MAX_WAITING} visitors already do`));
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting<L> = {
        resolve,
        reject,
        done: false,
        timer: this.#clock.after(this.#timeoutMs, () => this.#expire(waiting)),
      };
      this.#queue.push(waiting);
      this.#waiting++;
      this.#ask(this.#waiting);
      this.#asking ??= this.#clock.every(this.#askAgainMs, () => this.#ask(this.#waiting));
    });
  }

  /** Links may have become ready: serves who waits. */
  offer(): void {
    while (this.#waiting > 0) {
      const link = this.#takeReady();
      if (link === null) return;
      let next = this.#queue.shift()!;
      while (next.done) next = this.#queue.shift()!;
      this.#settle(next);
      next.resolve(link);
    }
    this.#queue.length = 0;
  }

  /** Turns everybody away who waits. Links that are ready can still be taken, nobody waits for one any more. */
  close(): void {
    this.#closed = true;
    this.turnAway(closing());
  }

  /** Turns everybody away who waits, because of `error`; who comes later may wait again. */
  turnAway(error: NodePassError): void {
    for (const waiting of this.#queue.splice(0)) {
      if (waiting.done) continue;
      this.#settle(waiting);
      waiting.reject(error);
    }
  }

  #expire(waiting: Waiting<L>): void {
    this.#settle(waiting);
    waiting.reject(new NodePassError("timed_out", `No link became ready within ${this.#timeoutMs} ms`));
    // Settled entries at the front go at once; those in between when the queue reaches them.
    while (this.#queue[0]?.done) this.#queue.shift();
  }

  #settle(waiting: Waiting<L>): void {
    waiting.done = true;
    waiting.timer.cancel();
    this.#waiting--;
    if (this.#waiting > 0) return;
    this.#asking?.cancel();
    this.#asking = null;
  }

  #takeReady(): L | null {
    let best: LinkSupplier<L> | null = null;
    for (const peer of this.#peers) {
      if (peer.ready > 0 && (best === null || peer.sessions < best.sessions)) best = peer;
    }
    return best?.take() ?? null;
  }
}

function closing(): NodePassError {
  return new NodePassError("closed", "Cannot wait for a link: the tunnel is closing");
}
