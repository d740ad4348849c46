/**
 * Turns of the event loop that stay short while thousands of connections have something to say at once: the end of an
 * answer is deferred, so that nobody has one before the turn is over.
 *
 * @module
 */
import type { Runtime } from "../../runtime/types.ts";

/** A turn that begins calls for longer is to end. */
const MOST_MS = 50;

/** Turns in which calls begin. */
export class ShortTurns {
  readonly #runtime: Pick<Runtime, "clock" | "process">;
  /** When the first call of this turn began, or its end was asked for last. */
  #since: number | null = null;

  constructor(runtime: Pick<Runtime, "clock" | "process">) {
    this.#runtime = runtime;
  }

  /** A call begins at `now` (clock ms). */
  begins(now: number): void {
    const { clock, process } = this.#runtime;
    if (this.#since === null) {
      this.#since = now;
      clock.soon(() => this.#since = null);
    } else if (now - this.#since > MOST_MS) {
      // And again after as long, should it go on.
      this.#since = now;
      process.endTurn();
    }
  }
}
