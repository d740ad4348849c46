/**
 * Warnings about peers that speak another wire, transport or TLS mode: one line each, not one per attempt.
 *
 * @module
 */
import type { Logger } from "../../log/types.ts";
import type { Clock, Timer } from "../../runtime/types.ts";
import type { Source } from "./sources.ts";

/** How long the same warning about the same source is not repeated. */
export const FOREIGN_REPEAT_MS = 600_000;
/** How long a warning is held back: a client that does not know the TLS mode tries several at once. */
export const FOREIGN_DELAY_MS = 2_000;
const MAX_REMEMBERED = 1_024;

/** A warning that waits for its time. */
interface Held {
  /** Key of the source. */
  readonly source: string;
  /** Its name in what was said. */
  readonly name: string;
  readonly timer: Timer;
  readonly say: () => void;
}

/** Says which parameter to set when another protocol arrives. */
export class ForeignReports {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** When each warning was last given, the oldest first. */
  readonly #said = new Map<string, number>();
  readonly #held = new Set<Held>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * Warns, unless a client proves itself from there within moments (`proved`): it found the right mode by itself.
   *
   * @param message what arrived and which parameter to set
   * @param remote address for the line
   */
  add(source: Source, message: string, remote: string): void {
    const name = `${source.key} ${message}`;
    if (this.#repeats(name)) return;
    const say = (): void => {
      this.#held.delete(held);
      this.#logger.warn(message, { remote });
    };
    const held = { source: source.key, name, say, timer: this.#clock.after(FOREIGN_DELAY_MS, say) };
    this.#held.add(held);
  }

  /** A client proved itself from this source: what is held back about it was a step of its way. */
  proved(source: string): void {
    for (const held of this.#held) {
      if (held.source !== source) continue;
      held.timer.cancel();
      this.#held.delete(held);
      this.#said.delete(held.name);
    }
  }

  /** Gives the warnings that are held back. */
  close(): void {
    for (const { timer, say } of [...this.#held]) {
      timer.cancel();
      say();
    }
  }

  /** Whether this was said lately; remembers it if not. At most {@linkcode MAX_REMEMBERED}, timers included. */
  #repeats(key: string): boolean {
    const now = this.#clock.now();
    const last = this.#said.get(key);
    if (last !== undefined && now - last < FOREIGN_REPEAT_MS) return true;
    this.#said.delete(key);
    this.#said.set(key, now);
    if (this.#said.size <= MAX_REMEMBERED) return false;
    for (const oldest of this.#said.keys()) {
      this.#said.delete(oldest);
      break;
    }
    return this.#held.size >= MAX_REMEMBERED;
  }
}
