/**
 * How fast new connections are let in: after a restart all agents come at once, and the calls of those that are there
 * already must not wait for those that come.
 *
 * @module
 */
import type { Clock, Timer } from "../../runtime/types.ts";
import type { CoreMetrics } from "../metrics.ts";

/** Connections that need not wait while nobody else does. */
const AT_ONCE = 50;
const TICK_MS = 10;
/** Let in with each tick, and while Core has more to do than it has time for. */
const PER_TICK = 5;
const PER_LATE_TICK = 2;
const LATE_MS = 20;
/** Those beyond are turned away, and come back later: an agent gives up after ten seconds. */
const MOST_WAITING = 2_048;

/** What is needed of a connection. */
export interface Arrival {
  destroy(): unknown;
  once(event: "close", run: () => void): unknown;
}

/** Connections of one door, in the order in which they came. */
export class Admission {
  readonly #clock: Clock;
  readonly #metrics: Pick<CoreMetrics, "count">;
  readonly #waiting = new Map<Arrival, () => void>();
  #credit = AT_ONCE;
  #timer: Timer | null = null;
  #dueAt = 0;
  #closed = false;

  constructor(clock: Clock, metrics: Pick<CoreMetrics, "count">) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Calls `enter` now or soon, or never: when the connection ends before, or there is no room. */
  arrive(connection: Arrival, enter: () => void): void {
    if (this.#closed || this.#waiting.size >= MOST_WAITING) {
      this.#metrics.count("core_grpc_connections_refused_total");
      connection.destroy();
      return;
    }
    this.#schedule();
    if (this.#credit > 0 && this.#waiting.size === 0) {
      this.#credit--;
      enter();
      return;
    }
    this.#waiting.set(connection, enter);
    connection.once("close", () => this.#waiting.delete(connection));
  }

  /** Nobody waits any more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const connection of this.#waiting.keys()) connection.destroy();
    this.#waiting.clear();
  }

  #schedule(): void {
    if (this.#timer !== null) return;
    this.#dueAt = this.#clock.now() + TICK_MS;
    this.#timer = this.#clock.after(TICK_MS, () => this.#tick());
  }

  #tick(): void {
    this.#timer = null;
    this.#credit += this.#clock.now() - this.#dueAt > LATE_MS ? PER_LATE_TICK : PER_TICK;
    for (const [connection, enter] of this.#waiting) {
      if (this.#credit-- === 0) break;
      this.#waiting.delete(connection);
      enter();
    }
    this.#credit = Math.min(AT_ONCE, Math.max(0, this.#credit));
    if (this.#waiting.size > 0 || this.#credit < AT_ONCE) this.#schedule();
  }
}
