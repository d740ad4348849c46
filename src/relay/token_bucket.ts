/**
 * Rate limit of one direction, fair between the sessions that share it.
 *
 * @module
 */
import type { Clock, Timer } from "../runtime/types.ts";

/** Largest burst, as the time it takes at the configured rate. */
const BURST_MS = 100;

/** One read that waits for its turn. */
interface Waiter {
  readonly bytes: number;
  readonly owner: object | null;
  readonly resume: () => void;
}

/**
 * A token bucket that delays and never drops.
 *
 * Reads are granted first come first served. A session has one read outstanding, so sessions take turns and none
 * starves. A read is granted once all its bytes are paid for: one that is larger than the burst waits accordingly.
 */
export class TokenBucket {
  /** Bytes that may pass at once after a pause; reads are best kept at or under it. */
  readonly burstBytes: number;
  readonly #clock: Clock;
  readonly #bytesPerMs: number;
  #tokens: number;
  #filledAt: number;
  #waiters: Waiter[] = [];
  #timer: Timer | null = null;
  #closed = false;

  /** @param bytesPerSecond more than 0 */
  constructor(clock: Clock, bytesPerSecond: number) {
    if (!(bytesPerSecond > 0)) throw new RangeError(`Cannot limit to ${bytesPerSecond} bytes per second`);
    this.#clock = clock;
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.burstBytes = Math.max(1, Math.floor(this.#bytesPerMs * BURST_MS));
    this.#tokens = this.burstBytes;
    this.#filledAt = clock.now();
  }

  /**
   * Pays for `bytes`. Undefined when they may pass now, so that the fast path awaits nothing.
   *
   * @param owner names the reads that {@linkcode forget} lets go
   */
  take(bytes: number, owner: object | null = null): Promise<void> | undefined {
    if (this.#closed) return undefined;
    if (this.#waiters.length === 0) {
      this.#fill(this.burstBytes);
      if (this.#tokens >= bytes) {
        this.#tokens -= bytes;
        return undefined;
      }
    }
    return new Promise((resume) => {
      this.#waiters.push({ bytes, owner, resume });
      if (this.#timer === null) this.#schedule();
    });
  }

  /** Resumes the waiting reads of `owner` at once and unpaid: its session was cut. */
  forget(owner: object): void {
    const gone = this.#waiters.filter((waiter) => waiter.owner === owner);
    if (gone.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.owner !== owner);
    this.#timer?.cancel();
    this.#timer = null;
    this.#grant();
    for (const waiter of gone) waiter.resume();
  }

  /** Resumes all waiting reads and limits nothing from now on. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
    for (const waiter of this.#waiters.splice(0)) waiter.resume();
  }

  #fill(limit: number): void {
    const now = this.#clock.now();
    this.#tokens = Math.min(Math.max(limit, this.burstBytes), this.#tokens + (now - this.#filledAt) * this.#bytesPerMs);
    this.#filledAt = now;
  }

  #schedule(): void {
    const head = this.#waiters[0];
    if (head === undefined) return;
    const missing = Math.max(0, head.bytes - this.#tokens);
    this.#timer = this.#clock.after(Math.max(1, Math.ceil(missing / this.#bytesPerMs)), () => {
      this.#timer = null;
      this.#grant();
    });
  }

  #grant(): void {
    let granted = 0;
    for (;;) {
      const head = this.#waiters[granted];
      if (head === undefined) break;
      this.#fill(head.bytes);
      if (this.#tokens < head.bytes) break;
      this.#tokens -= head.bytes;
      granted++;
    }
    const resumed = this.#waiters.splice(0, granted);
    this.#schedule();
    for (const waiter of resumed) waiter.resume();
  }
}
