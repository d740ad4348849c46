/**
 * Handshakes that are over and whose sessions go on.
 *
 * @module
 */
import type { IdleSweeper } from "../../relay/idle_sweeper.ts";
import type { Pairing } from "./pairing.ts";

/** Keeps them until their last session has ended. */
export class FormerPairings {
  readonly #pairings = new Set<Pairing>();
  readonly #sweeper: IdleSweeper;
  #stopTick: (() => void) | null = null;
  #closed = false;

  constructor(sweeper: IdleSweeper) {
    this.#sweeper = sweeper;
  }

  add(pairing: Pairing): void {
    if (this.#closed) return pairing.close();
    this.#pairings.add(pairing);
    this.#stopTick ??= this.#sweeper.onTick(() => this.#sweep());
  }

  /** Ends their sessions. */
  close(): void {
    this.#closed = true;
    for (const pairing of this.#pairings) pairing.close();
    this.#sweep();
  }

  #sweep(): void {
    for (const pairing of this.#pairings) if (pairing.links.total === 0) this.#pairings.delete(pairing);
    if (this.#pairings.size > 0) return;
    this.#stopTick?.();
    this.#stopTick = null;
  }
}
