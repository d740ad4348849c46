/**
 * How fast new connections are let in: after a restart all agents come at once, and the calls of those that are there
 * already must not wait for those that come.
 *
 * @module
 */
import type { Clock, Timer } from "../../runtime/types.ts";
import type { CoreMetrics } from "../metrics.ts";

/** Connections that need not wait while nobody else does, and that enter at the same time at most. */
const AT_ONCE = 50;
const TICK_MS = 10;
/** Let in at first; more each time that Core was in time, and fewer each time that it was late. */
const FIRST_PER_SECOND = 300;
const LEAST_PER_SECOND = 100;
const MOST_PER_SECOND = 1_000;
const FASTER = 4;
const SLOWER = 0.8;
const LATE_MS = 20;
/** Those beyond are turned away, and come back later. */
const MOST_WAITING = 2_048;
/** Whoever waits longer may have given up, which nobody hears before it has entered: agents do after ten seconds. */
const MOST_WAIT_MS = 5_000;

/** What is needed of a connection. */
export interface Arrival {
  destroy(): unknown;
  once(event: "close", run: () => void): unknown;
}

interface Waiting {
  readonly since: number;
  readonly enter: () => void;
}

/** Connections of one door, in the order in which they came. */
export class Admission {
  readonly #clock: Clock;
  readonly #metrics: Pick<CoreMetrics, "count">;
  readonly #waiting = new Map<Arrival, Waiting>();
  #credit = AT_ONCE;
  #perSecond = FIRST_PER_SECOND;
  #timer: Timer | null = null;
  /** When credit was given last. */
  #creditAt = 0;
  #closed = false;

  constructor(clock: Clock, metrics: Pick<CoreMetrics, "count">) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Calls `enter` now or soon, or never: when the connection ends before, or there is no room or no time for it. */
  arrive(connection: Arrival, enter: () => void): void {
    if (this.#closed || this.#waiting.size >= MOST_WAITING) return this.#refuse(connection);
    this.#schedule();
    if (this.#credit >= 1 && this.#waiting.size === 0) {
      this.#credit--;
      enter();
      return;
    }
    this.#waiting.set(connection, { since: this.#clock.now(), enter });
    connection.once("close", () => this.#waiting.delete(connection));
  }

  /** Nobody waits any more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const connection of this.#waiting.keys()) connection.destroy();
    this.#waiting.clear();
  }

  #refuse(connection: Arrival): void {
    this.#metrics.count("core_grpc_connections_refused_total");
    connection.destroy();
  }

  #schedule(): void {
    if (this.#timer !== null) return;
    this.#creditAt = this.#clock.now();
    this.#timer = this.#clock.after(TICK_MS, () => this.#tick());
  }

  #tick(): void {
    this.#timer = null;
    const now = this.#clock.now();
    const passedMs = now - this.#creditAt;
    this.#perSecond = passedMs > TICK_MS + LATE_MS
      ? Math.max(LEAST_PER_SECOND, this.#perSecond * SLOWER)
      : Math.min(MOST_PER_SECOND, this.#perSecond + FASTER);
    this.#credit = Math.min(AT_ONCE, this.#credit + passedMs * this.#perSecond / 1000);
    for (const [connection, { since, enter }] of this.#waiting) {
      const tooLate = now - since > MOST_WAIT_MS;
      if (!tooLate && this.#credit < 1) break;
      this.#waiting.delete(connection);
      if (tooLate) {
        this.#refuse(connection);
      } else {
        this.#credit--;
        enter();
      }
    }
    if (this.#waiting.size > 0 || this.#credit < AT_ONCE) this.#schedule();
  }
}
