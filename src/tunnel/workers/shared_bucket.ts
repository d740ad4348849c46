/**
 * The `rate` limit of one direction, of all workers together.
 *
 * @module
 */
import { TokenBucket } from "../../relay/token_bucket.ts";
import type { Clock, Timer } from "../../runtime/types.ts";

/** One read that has its time and waits for it. */
interface Booked {
  readonly at: number;
  readonly owner: object | null;
  readonly resume: () => void;
}

/** Nanoseconds: a whole number of them says when the next byte may pass. */
const PER_MS = 1_000_000;
const LARGEST_BURST_MS = 100;

/** Memory of one bucket. */
export function bucketMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(8);
}

/**
 * The shared cell holds the time at which everything that was let through so far is paid for. A read moves it on by
 * what it costs and passes at that time, so that all workers are served in the order in which they asked, and one
 * that asks alone gets the whole rate.
 */
export class SharedBucket extends TokenBucket {
  readonly #clock: Clock;
  readonly #offsetMs: number;
  readonly #perByte: number;
  readonly #paidUntil: BigInt64Array;
  #booked: Booked[] = [];
  #timer: Timer | null = null;
  #closed = false;

  /** @param offsetMs what to add to this clock to get the one that all workers mean */
  constructor(clock: Clock, bytesPerSecond: number, memory: SharedArrayBuffer, offsetMs: number) {
    super(clock, bytesPerSecond);
    this.#clock = clock;
    this.#offsetMs = offsetMs;
    this.#perByte = (1000 * PER_MS) / bytesPerSecond;
    this.#paidUntil = new BigInt64Array(memory);
  }

  override take(bytes: number, owner: object | null = null): Promise<void> | undefined {
    if (this.#closed) return undefined;
    const at = this.#book(bytes);
    if (at <= this.#now()) return undefined;
    return new Promise((resume) => {
      this.#booked.push({ at, owner, resume });
      this.#timer ??= this.#wait();
    });
  }

  override forget(owner: object): void {
    const gone = this.#booked.filter((booked) => booked.owner === owner);
    this.#booked = this.#booked.filter((booked) => booked.owner !== owner);
    for (const { resume } of gone) resume();
  }

  override close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const { resume } of this.#booked.splice(0)) resume();
  }

  #now(): number {
    return (this.#clock.now() + this.#offsetMs) * PER_MS;
  }

  /** When these bytes are paid for, in nanoseconds of the common clock. */
  #book(bytes: number): number {
    const cost = bytes * this.#perByte;
    for (;;) {
      const before = Atomics.load(this.#paidUntil, 0);
      const end = Math.max(Number(before), this.#now() - LARGEST_BURST_MS * PER_MS) + cost;
      if (Atomics.compareExchange(this.#paidUntil, 0, before, BigInt(Math.ceil(end))) === before) return end;
    }
  }

  #wait(): Timer | null {
    const head = this.#booked[0];
    if (head === undefined) return null;
    return this.#clock.after(Math.max(1, Math.ceil((head.at - this.#now()) / PER_MS)), () => {
      this.#timer = null;
      const now = this.#now();
      let due = 0;
      while (due < this.#booked.length && this.#booked[due]!.at <= now) due++;
      for (const { resume } of this.#booked.splice(0, due)) resume();
      this.#timer ??= this.#wait();
    });
  }
}
