/**
 * The front door of a tunnel port, whatever the dialect: everyone is let in, few may wait, and only who says who they
 * are goes on.
 *
 * @module
 */
import { formatAddress } from "../../address/ip.ts";
import type { ServerConfig } from "../../config/types.ts";
import { messageOf } from "../../errors.ts";
import { limited, type LimitedLogger } from "../../log/limited.ts";
import type { Conn, SocketAddress, Timer } from "../../runtime/types.ts";
import type { TunnelContext } from "../context.ts";
import { acceptLoop } from "./accept_loop.ts";
import { Arrival, type ArrivalEnd } from "./arrival.ts";
import { ForeignReports } from "./foreign_reports.ts";
import { notTlsError } from "./not_tls.ts";
import { Sources } from "./sources.ts";
import { Strikes } from "./strikes.ts";
import type { Refusal } from "./types.ts";
import { shareOfWaiting, WaitingRoom } from "./waiting_room.ts";

/** Log lines per second that strangers can cause. */
const LINES_PER_SECOND = 10;

/** The listener behind the door, and its certificate. */
export interface DoorPort<C extends Conn> {
  readonly local: SocketAddress;
  /** How long one connection may take from `accept` to the end of its handshake. */
  readonly openingMs: number;
  /** Whether there are certificate files to read again. */
  readonly hasFiles: boolean;
  accept(): Promise<C | null>;
  /** Reads the files again; true when they changed. Rejects when they are no good: the old certificate stays. */
  reload(): Promise<boolean>;
  close(): void;
}

/** What a dialect does with a connection. Both bounded in time; what rejects is closed, counted and reported. */
export interface DoorHandlers<C extends Conn, S> {
  /** TLS first, where the dialect wants it; what goes on inside. A failure says nothing about intent. */
  secure(conn: C): Promise<S>;
  /** Reads who it is, and ends the arrival with `taken` when it goes on. `wrong_key` and `protocol` are strikes. */
  receive(conn: S, arrival: Arrival): Promise<void>;
  /** The system refuses to accept connections for now, for lack of descriptors most likely. Called again while it does. */
  starved?(): void;
}

/** See the module. */
export class FrontDoor<C extends Conn, S = C> {
  /** Connections closed before they were taken over, by reason. */
  readonly refusals: Record<Refusal, number> = { timeout: 0, evicted: 0, refused: 0, bad: 0, foreign: 0, broken: 0 };
  /** Resolves once nothing listens any more. */
  readonly finished: Promise<void>;
  readonly #context: TunnelContext<ServerConfig>;
  readonly #port: DoorPort<C>;
  readonly #handlers: DoorHandlers<C, S>;
  /** For lines that strangers can cause. */
  readonly #log: LimitedLogger;
  readonly #room: WaitingRoom;
  readonly #sources: Sources;
  readonly #strikes: Strikes;
  readonly #foreign: ForeignReports;
  readonly #arrivals = new Set<Arrival>();
  readonly #closing = new AbortController();
  readonly #reloadTimer: Timer | null;
  #reloading: Promise<void> = Promise.resolve();

  constructor(context: TunnelContext<ServerConfig>, port: DoorPort<C>, handlers: DoorHandlers<C, S>) {
    const { clock } = context.runtime;
    const now = (): number => clock.now();
    this.#context = context;
    this.#port = port;
    this.#handlers = handlers;
    this.#log = limited(context.logger, LINES_PER_SECOND, now);
    this.#room = context.crew === null ? new WaitingRoom() : new WaitingRoom(shareOfWaiting(context.crew.size));
    this.#sources = new Sources(context.config.trusted, now);
    this.#strikes = new Strikes(now);
    this.#foreign = new ForeignReports(clock, this.#log);
    const { reloadIntervalMs } = context.config.settings;
    this.#reloadTimer = port.hasFiles && reloadIntervalMs > 0
      ? clock.every(reloadIntervalMs, () => void this.reload())
      : null;
    this.finished = this.#run();
  }

  get local(): SocketAddress {
    return this.#port.local;
  }

  /** Connections that have not completed their opening or their handshake. */
  get pending(): number {
    return this.#room.size;
  }

  /** A client from this address is served: raises its caps until the returned function is called. */
  vouch(address: string): () => void {
    this.#foreign.proved(this.#sources.of(address).key);
    return this.#sources.vouch(address);
  }

  /** Reads the certificate files again. Never rejects: bad files are logged and the old ones stay. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  /** Stops listening and closes what is pending; what was taken over stays. Idempotent. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#reloadTimer?.cancel();
    this.#port.close();
    for (const arrival of [...this.#arrivals]) arrival.end("closed");
    this.#foreign.close();
    this.#log.flush();
  }

  async #reload(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    // All workers read the same files: one says it.
    const speaks = this.#context.crew === null || this.#context.crew.index === 0;
    try {
      if (await this.#port.reload() && speaks) this.#context.logger.info("Certificate files reloaded");
    } catch (error) {
      if (this.#closing.signal.aborted || !speaks) return;
      const reason = messageOf(this.#context.runtime.toError(error));
      this.#context.logger.error("Certificate files not reloaded: the old certificate stays", { reason });
    }
  }

  async #run(): Promise<void> {
    await acceptLoop({
      clock: this.#context.runtime.clock,
      signal: this.#closing.signal,
      accept: () => this.#port.accept(),
      arrived: (conn) => this.#arrived(conn),
      failed: (error, before) => {
        if (before === 0) {
          this.#log.error("Cannot accept on the tunnel port, retrying", { reason: this.#reason(error) });
        }
        this.#handlers.starved?.();
      },
      recovered: (failures) => this.#log.info("Accepting on the tunnel port again", { failures }),
    });
    if (!this.#closing.signal.aborted) this.#context.logger.error("Tunnel port stopped listening");
  }

  #arrived(conn: C): void {
    const source = this.#sources.of(conn.remote.host);
    if (this.#strikes.refuses(source)) {
      this.refusals.refused++;
      conn.close();
      return;
    }
    const arrival = new Arrival({
      conn,
      source,
      room: this.#room,
      clock: this.#context.runtime.clock,
      limitMs: this.#port.openingMs,
      ended: (arrival, end) => this.#ended(arrival, end),
    });
    this.#arrivals.add(arrival);
    void this.#receive(arrival, conn);
  }

  #ended(arrival: Arrival, end: ArrivalEnd): void {
    this.#arrivals.delete(arrival);
    if (end === "taken" || end === "closed") return;
    this.refusals[end]++;
  }

  /** Never rejects. */
  async #receive(arrival: Arrival, conn: C): Promise<void> {
    let secured: S;
    try {
      secured = await this.#handlers.secure(conn);
    } catch (error) {
      this.#failedBefore(arrival, error);
      return;
    }
    try {
      if (!arrival.over) await this.#handlers.receive(secured, arrival);
    } catch (error) {
      this.#failed(arrival, error);
    }
  }

  /** A failed TLS handshake says nothing about intent: a client of another key or mode looks like that. */
  #failedBefore(arrival: Arrival, error: unknown): void {
    if (arrival.over) return;
    const failure = this.#context.runtime.toError(error);
    const foreign = notTlsError(failure);
    const remote = formatAddress(arrival.conn.remote);
    if (foreign !== null) {
      arrival.end("foreign");
      this.#foreign.add(arrival.source, foreign.message, remote);
    } else {
      arrival.end("broken");
      this.#log.debug("TLS handshake failed", { remote, reason: failure.message });
    }
  }

  #failed(arrival: Arrival, error: unknown): void {
    if (arrival.over) return;
    const { code, message } = this.#context.runtime.toError(error);
    const remote = formatAddress(arrival.conn.remote);
    switch (code) {
      case "wire_mismatch":
        arrival.end("foreign");
        this.#foreign.add(arrival.source, message, remote);
        return;
      case "wrong_key":
        this.#log.warn("Handshake failed", { remote, reason: message });
        this.#strike(arrival, remote);
        return;
      case "protocol":
        this.#log.debug("Opening refused", { remote, reason: message });
        this.#strike(arrival, remote);
        return;
      default:
        arrival.end("broken");
        this.#log.debug("Opening not completed", { remote, reason: message });
    }
  }

  #strike(arrival: Arrival, remote: string): void {
    arrival.end("bad");
    this.#context.ledger.reject("handshake");
    if (this.#strikes.add(arrival.source)) {
      this.#log.warn("Source refused for a while: too many bad openings", { source: arrival.source.key, last: remote });
    }
  }

  #reason(error: unknown): string {
    return messageOf(this.#context.runtime.toError(error));
  }
}
