/**
 * The relay: accepts, dials the target, carries each pair under faults.
 *
 * @module
 */
import type { Conn, Listener, Runtime, SocketAddress } from "../../src/runtime/types.ts";
import { Connection, type RelayedConnection } from "./connection.ts";
import { changed, type Direction, type Directions, type Faults, NO_FAULTS } from "./faults.ts";

const DIAL_MS = 5000;
const ACCEPT_PAUSE_MS = 100;

/** Options of {@linkcode startFaultRelay}. */
export interface FaultRelayOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** @default 127.0.0.1, a free port */
  readonly listen?: { readonly host: string; readonly port: number };
  /** Faults of new connections, in both directions. @default none */
  readonly faults?: Partial<Faults>;
}

/** A relay that was started; who started it closes it. */
export interface FaultRelay extends AsyncDisposable {
  readonly local: SocketAddress;
  /** Connections that live now. */
  connections(): readonly RelayedConnection[];
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Changes the faults of all connections, those to come included. */
  set(change: Partial<Faults>, directions?: Directions): void;
  /** Resets all connections that live now. */
  reset(): void;
  /** Where connections to come go. */
  retarget(target: { readonly host: string; readonly port: number }): void;
  /** Closes the listener and all connections. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a TCP relay whose connections can be slowed, stalled, cut and falsified while they run.
 *
 * @example
 * ```ts ignore
 * await using relay = await startFaultRelay(runtime, { target: { host: "127.0.0.1", port: 10101 } });
 * relay.set({ blackHole: true }); // the link goes down
 * relay.set({ blackHole: false, latencyMs: 50 }); // it comes back, slower
 * relay.connections()[0]?.reset();
 * ```
 */
export async function startFaultRelay(runtime: Runtime, options: FaultRelayOptions): Promise<FaultRelay> {
  const listener = await runtime.net.listen(options.listen ?? { host: "127.0.0.1", port: 0 });
  return new Relay(runtime, listener, options);
}

class Relay implements FaultRelay {
  readonly local: SocketAddress;
  readonly #runtime: Runtime;
  readonly #listener: Listener;
  readonly #connections = new Set<Connection>();
  readonly #starting = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  readonly #accepting: Promise<void>;
  #target: { readonly host: string; readonly port: number };
  #faults: Readonly<Record<Direction, Faults>>;
  #accepted = 0;

  constructor(runtime: Runtime, listener: Listener, options: FaultRelayOptions) {
    this.local = listener.local;
    this.#runtime = runtime;
    this.#listener = listener;
    this.#target = options.target;
    this.#faults = changed({ up: NO_FAULTS, down: NO_FAULTS }, options.faults ?? {}, "both");
    this.#accepting = this.#accept();
  }

  get accepted(): number {
    return this.#accepted;
  }

  connections(): readonly RelayedConnection[] {
    return [...this.#connections];
  }

  set(change: Partial<Faults>, directions: Directions = "both"): void {
    this.#faults = changed(this.#faults, change, directions);
    for (const connection of this.#connections) connection.set(change, directions);
  }

  reset(): void {
    for (const connection of this.#connections) connection.reset();
  }

  retarget(target: { readonly host: string; readonly port: number }): void {
    this.#target = target;
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#listener.close();
    await this.#accepting;
    await Promise.all(this.#starting);
    for (const connection of this.#connections) connection.close();
    await Promise.all([...this.#connections].map((connection) => connection.finished));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #accept(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        const visitor = await this.#listener.accept();
        if (visitor === null) return;
        this.#accepted++;
        const start = this.#start(visitor, this.#accepted).finally(() => this.#starting.delete(start));
        this.#starting.add(start);
      } catch {
        // Out of descriptors: those of the process under test may come back.
        await new Promise<void>((resolve) => void this.#runtime.clock.after(ACCEPT_PAUSE_MS, resolve));
      }
    }
  }

  async #start(visitor: Conn, id: number): Promise<void> {
    let target: Conn;
    try {
      target = await this.#runtime.net.connect({ ...this.#target, timeoutMs: DIAL_MS, signal: this.#abort.signal });
    } catch {
      visitor.reset();
      return;
    }
    const connection = new Connection(id, [visitor, target], this.#faults, this.#runtime.clock);
    this.#connections.add(connection);
    void connection.finished.then(() => this.#connections.delete(connection));
  }
}
