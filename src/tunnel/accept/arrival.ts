/**
 * One accepted connection, from `accept` until it is taken over or closed.
 *
 * @module
 */
import type { Clock, Conn, Timer } from "../../runtime/types.ts";
import type { Source } from "./sources.ts";
import type { Refusal } from "./types.ts";
import type { WaitingRoom } from "./waiting_room.ts";

/** How an arrival ended. */
export type ArrivalEnd = "taken" | "closed" | Refusal;

/** Options of {@linkcode Arrival}. */
export interface ArrivalOptions {
  readonly conn: Conn;
  readonly source: Source;
  readonly room: WaitingRoom;
  readonly clock: Clock;
  readonly limitMs: number;
  /** Called once, after the connection was closed unless it was taken over. */
  readonly ended: (arrival: Arrival, end: ArrivalEnd) => void;
}

/** Holds a place in the waiting room under a deadline; the first end wins. */
export class Arrival {
  readonly conn: Conn;
  readonly source: Source;
  readonly #leave: () => void;
  readonly #deadline: Timer;
  readonly #ended: (arrival: Arrival, end: ArrivalEnd) => void;
  #over = false;

  constructor(options: ArrivalOptions) {
    this.conn = options.conn;
    this.source = options.source;
    this.#ended = options.ended;
    this.#deadline = options.clock.after(options.limitMs, () => this.end("timeout"));
    this.#leave = options.room.enter(options.source, () => this.end("evicted"));
  }

  /** True once it was taken over or closed. */
  get over(): boolean {
    return this.#over;
  }

  /** Settles it; false when it was settled before. */
  end(end: ArrivalEnd): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#deadline.cancel();
    this.#leave?.();
    if (end !== "taken") this.conn.close();
    this.#ended(this, end);
    return true;
  }
}
