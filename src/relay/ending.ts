/**
 * How a session of two directions ends: the one place that decides what a failure on one side does to the other.
 *
 * @module
 */
import type { Timer } from "../runtime/types.ts";
import type { CopyEnd } from "./copy.ts";

/** How long data of a side that no longer takes any may still drain to the other side. */
const DRAIN_MS = 2000;

/** What an {@linkcode Ending} does to the two sides. */
export interface EndingActions {
  /** Resets both sides and wakes whatever waits for them. Idempotent. */
  resetBoth(): void;
  /** Calls `run` once after `ms`. */
  after(ms: number, run: () => void): Timer;
}

/** Collects the ends of both directions. */
export class Ending<End extends string> {
  readonly #actions: EndingActions;
  #outcome: End | null = null;
  #drain: Timer | null = null;
  #ended = 0;

  constructor(actions: EndingActions) {
    this.#actions = actions;
  }

  /** Ends the session now, unclean: both sides are reset. The first reason given stays. */
  stop(end: End): void {
    this.#outcome ??= end;
    this.#actions.resetBoth();
  }

  /**
   * Reports the end of one direction.
   *
   * @param source the outcome when its source broke
   * @param sink the outcome when its sink broke
   * @param withholdAnswer keeps the opposite direction from ending cleanly
   */
  settle(result: CopyEnd, source: End, sink: End, withholdAnswer: () => void): void {
    this.#ended++;
    if (result.kind === "end" || this.#outcome !== null) return;
    if (result.kind === "source_failed") return this.stop(source);
    if (this.#ended === 2) return this.stop(sink);
    // A side that takes nothing any more may have answered before it broke: that much is still delivered.
    this.#outcome = sink;
    withholdAnswer();
    this.#drain = this.#actions.after(DRAIN_MS, () => this.stop(sink));
  }

  /** After both directions: null for a clean end, else both sides are reset for good. */
  finish(): End | null {
    this.#drain?.cancel();
    if (this.#outcome !== null) this.#actions.resetBoth();
    return this.#outcome;
  }
}
