/**
 * Keeps links ready: opens missing ones in parallel, backs off when that fails.
 *
 * @module
 */
import type { Clock, Random, Timer } from "../../runtime/types.ts";
import { Backoff } from "../backoff.ts";

/** Links being opened at once by default: they have no preface yet, and the server caps those. */
const PARALLEL = 8;
const FIRST_PAUSE_MS = 100;
/** The server lives, its control channel says so: what keeps links from it is mostly over soon. */
const LONGEST_PAUSE_MS = 1_000;
/** Demand of visitors that waited counts this long. */
const DEMAND_MS = 1_000;

/** Options of {@linkcode Supply}. */
export interface SupplyOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly minReady: number;
  readonly maxReady: number;
  /** Links being opened at once. @default 8 */
  readonly parallel?: number;
  /** Shortest time between two rounds that were not asked for. */
  readonly intervalMs: number;
  readonly ready: () => number;
  /** Opens one link. Rejects when that fails. */
  readonly open: () => Promise<void>;
  /** Called with the error that begins a series of failures. */
  readonly onFailure: (error: unknown) => void;
}

/** See the module. */
export class Supply {
  readonly #options: SupplyOptions;
  readonly #backoff: Backoff;
  #opening = 0;
  #demand = 0;
  #demandAt = 0;
  #running = false;
  #pause: Timer | null = null;
  #round: Timer | null = null;
  #failing = false;

  constructor(options: SupplyOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.random, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  }

  /** Starts or goes on after a reconnect. */
  start(): void {
    this.#running = true;
    this.#failing = false;
    this.#pause?.cancel();
    this.#pause = null;
    this.#backoff.reset();
    this.#round ??= this.#options.clock.every(this.#options.intervalMs, () => this.fill());
    this.fill();
  }

  /** Opens nothing more until `start`. */
  stop(): void {
    this.#running = false;
    this.#pause?.cancel();
    this.#pause = null;
    this.#round?.cancel();
    this.#round = null;
  }

  /** Visitors wait for this many links. */
  demand(links: number): void {
    this.#demand = Math.min(links, this.#options.maxReady);
    this.#demandAt = this.#options.clock.now();
    this.fill();
  }

  /** Whether it opens nothing for a while, after a failure or by `hold`. */
  get holding(): boolean {
    return this.#pause !== null;
  }

  /** Opens nothing for so long, unless it waits already. */
  hold(ms: number): void {
    if (!this.#running) return;
    this.#pause ??= this.#options.clock.after(ms, () => {
      this.#pause = null;
      this.fill();
    });
  }

  /** Opens what is missing. */
  fill(): void {
    if (!this.#running || this.#pause !== null) return;
    if (this.#demand > 0 && this.#options.clock.now() - this.#demandAt > DEMAND_MS) this.#demand = 0;
    const wanted = Math.min(this.#options.maxReady, Math.max(this.#options.minReady, this.#demand));
    const { parallel = PARALLEL } = this.#options;
    while (this.#opening < parallel && this.#options.ready() + this.#opening < wanted) void this.#open();
  }

  async #open(): Promise<void> {
    this.#opening++;
    try {
      await this.#options.open();
      this.#opening--;
      this.#failing = false;
      this.#backoff.reset();
      this.fill();
    } catch (error) {
      this.#opening--;
      if (!this.#running) return;
      if (!this.#failing) this.#options.onFailure(error);
      this.#failing = true;
      if (this.#pause === null) this.hold(Math.max(FIRST_PAUSE_MS, this.#backoff.next()));
    }
  }
}
