/**
 * One relayed connection: two pumps and the two sockets they own.
 *
 * @module
 */
import type { Clock, Conn, SocketAddress } from "../../src/runtime/types.ts";
import { changed, type Direction, type Directions, type Faults } from "./faults.ts";
import { Pump, type PumpEnd } from "./pump.ts";
import { Waiter } from "./waiter.ts";

/** A connection that the relay carries. */
export interface RelayedConnection {
  /** Counts from 1. */
  readonly id: number;
  /** Who connected. */
  readonly remote: SocketAddress;
  /** Bytes passed on so far. */
  bytes(direction: Direction): number;
  /** Changes the faults of this connection alone. */
  set(change: Partial<Faults>, directions?: Directions): void;
  /** Ends one direction cleanly, now; what its sender writes from then on is not read. */
  halfClose(direction: Direction): Promise<void>;
  /** Resets both sockets (on native Deno sockets: closes them; use the Node adapter where a real reset matters). */
  reset(): void;
  /** Closes both sockets. */
  close(): void;
  /** Resolves when both sockets are closed. */
  readonly finished: Promise<void>;
}

/** Carries one connection. */
export class Connection implements RelayedConnection {
  readonly id: number;
  readonly remote: SocketAddress;
  readonly finished: Promise<void>;
  readonly #ends: readonly [Conn, Conn];
  readonly #pumps: Readonly<Record<Direction, Pump>>;
  readonly #waiters: readonly Waiter[];
  #faults: Readonly<Record<Direction, Faults>>;

  constructor(id: number, ends: readonly [Conn, Conn], faults: Readonly<Record<Direction, Faults>>, clock: Clock) {
    const [visitor, target] = ends;
    const waiters = [new Waiter(clock), new Waiter(clock)] as const;
    this.id = id;
    this.remote = visitor.remote;
    this.#ends = ends;
    this.#faults = faults;
    this.#waiters = waiters;
    this.#pumps = {
      up: new Pump(visitor, target, faults.up, waiters[0]),
      down: new Pump(target, visitor, faults.down, waiters[1]),
    };
    this.finished = this.#run();
  }

  bytes(direction: Direction): number {
    return this.#pumps[direction].bytes;
  }

  set(change: Partial<Faults>, directions: Directions = "both"): void {
    this.#faults = changed(this.#faults, change, directions);
    this.#pumps.up.set(this.#faults.up);
    this.#pumps.down.set(this.#faults.down);
  }

  async halfClose(direction: Direction): Promise<void> {
    await this.#pumps[direction].halfClose();
  }

  reset(): void {
    for (const end of this.#ends) end.reset();
    for (const waiter of this.#waiters) waiter.end();
  }

  close(): void {
    for (const end of this.#ends) end.close();
    for (const waiter of this.#waiters) waiter.end();
  }

  async #run(): Promise<void> {
    const { up, down } = this.#pumps;
    await Promise.all([
      up.run().then((end) => this.#onEnd("up", end)),
      down.run().then((end) => this.#onEnd("down", end)),
    ]);
    this.close();
    await Promise.all([up.settled(), down.settled()]);
  }

  /** A broken or cut direction takes the other one with it. */
  #onEnd(direction: Direction, end: PumpEnd): void {
    if (end === "broken") this.reset();
    if (end !== "limit") return;
    if (this.#faults[direction].limitEnd === "reset") this.reset();
    else this.close();
  }
}
