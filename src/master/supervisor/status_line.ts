/**
 * The status that is told of one instance: each change once, and `stopped` long enough to be seen.
 *
 * @module
 */
import type { Clock, Timer } from "../../runtime/types.ts";
import type { Status } from "../instance.ts";

/** How long a restart shows `stopped`. */
const VISIBLE_MS = 300;

/** See the module. */
export class StatusLine {
  readonly #clock: Clock;
  readonly #tell: (status: Status, message: string) => void;
  #told: string | null = null;
  /** Nothing else is told before (clock ms). */
  #heldUntil = 0;
  #later: Timer | null = null;

  constructor(clock: Clock, tell: (status: Status, message: string) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Tells it when it is news: at once, or when what was told before has been seen. */
  show(status: Status, message = ""): void {
    this.cancel();
    const wait = this.#heldUntil - this.#clock.now();
    if (wait > 0) this.#later = this.#clock.after(wait, () => this.#say(status, message));
    else this.#say(status, message);
  }

  /** Tells `stopped`, and nothing else for a while when `hold`. */
  stopped(hold: boolean): void {
    this.cancel();
    this.#say("stopped", "");
    this.#heldUntil = hold ? this.#clock.now() + VISIBLE_MS : 0;
  }

  /** Forgets what was to be told. */
  cancel(): void {
    this.#later?.cancel();
    this.#later = null;
  }

  #say(status: Status, message: string): void {
    const news = `${status} ${message}`;
    if (news === this.#told) return;
    this.#told = news;
    this.#tell(status, message);
  }
}
