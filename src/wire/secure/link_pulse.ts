/**
 * Is the other end of a link still there? Looked at about once a second, without work per frame.
 *
 * @module
 */

/** What a look at a link leads to. */
export type PulseVerdict =
  /** Nothing to do. */
  | null
  /** Ask the other end. */
  | "ping"
  /** Our reader is stalled: tell the other end that we live. */
  | "pong"
  /** Silent for too long. */
  | "silent"
  /** Our writer is stuck and the other end's control channel died. */
  | "blocked";

/** The state of a link at the time of a look. */
export interface PulseState {
  readonly now: number;
  /** Bytes arrived since the last look. */
  readonly heard: boolean;
  /** A frame was begun since the last look. */
  readonly wrote: boolean;
  /** The link waits for bytes, rather than for a socket to take some. */
  readonly reading: boolean;
  /** A frame is under way. */
  readonly writing: boolean;
  /** When an OPEN was sent that no frame has acknowledged; null otherwise. */
  readonly openedAt: number | null;
  /** When the control channel of the other end died; null while it lives. */
  readonly controlLostAt: number | null;
}

const OPEN_PING_MS = 900;
const OPEN_DEADLINE_MS = 2_000;
const IDLE_PING_MS = 10_000;
const IDLE_DEADLINE_MS = 15_000;
const PAUSED_PONG_MS = 4_000;
const BLOCKED_DEADLINE_MS = 15_000;

/** See the module. */
export class LinkPulse {
  /** How long the link was silent at the last look, in ms. */
  silentMs = 0;
  #heardAt: number;
  #wroteAt: number;
  #writingSince: number | null = null;
  #pinged = false;

  constructor(now: number) {
    this.#heardAt = this.#wroteAt = now;
  }

  look(state: PulseState): PulseVerdict {
    const { now } = state;
    if (state.wrote) this.#wroteAt = now;
    if (state.heard) {
      this.#heardAt = now;
      this.#pinged = false;
    }
    if (!state.writing) this.#writingSince = null;
    else if (this.#isStuck(state)) return "blocked";
    if (state.reading) return this.#judgeSilence(state);
    return !state.writing && now - this.#wroteAt >= PAUSED_PONG_MS ? "pong" : null;
  }

  /** A blocked writer says nothing about the other end: its control channel does. */
  #isStuck({ now, controlLostAt }: PulseState): boolean {
    this.#writingSince ??= now;
    return controlLostAt !== null && now - controlLostAt >= BLOCKED_DEADLINE_MS &&
      now - this.#writingSince >= BLOCKED_DEADLINE_MS;
  }

  #judgeSilence({ now, openedAt }: PulseState): PulseVerdict {
    this.silentMs = now - (openedAt === null ? this.#heardAt : Math.max(this.#heardAt, openedAt));
    if (this.silentMs >= (openedAt === null ? IDLE_DEADLINE_MS : OPEN_DEADLINE_MS)) return "silent";
    if (this.#pinged || this.silentMs < (openedAt === null ? IDLE_PING_MS : OPEN_PING_MS)) return null;
    this.#pinged = true;
    return "ping";
  }
}
