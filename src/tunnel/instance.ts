/**
 * What server, client and forwarder have in common as a handle: sessions, counters, one way to end.
 *
 * @module
 */
import type { TunnelConfig } from "../config/types.ts";
import type { SocketAddress } from "../runtime/types.ts";
import { startCheckpoints } from "./checkpoint.ts";
import type { TunnelContext } from "./context.ts";
import type { CloseOptions, PeerInfo, SessionInfo, TunnelHandle, TunnelStats } from "./types.ts";

/** Options of the functions that start an instance. */
export interface InstanceOptions {
  /** Receives the state at each report interval. */
  readonly onReport?: ((stats: TunnelStats) => void) | undefined;
  /** Gives up a start that takes its time; what runs is its owner's to close. */
  readonly signal?: AbortSignal | undefined;
}

/** The part of the state that each kind of instance knows for itself. */
export type InstanceState = Pick<TunnelStats, "mode" | "modeCode" | "pingMs" | "pool"> & {
  readonly peers: readonly PeerInfo[];
};

/** Starts an instance; one that cannot start leaves nothing open. */
export async function startOrClose<T extends TunnelHandle & { start(options: InstanceOptions): Promise<void> }>(
  instance: T,
  options: InstanceOptions,
): Promise<T> {
  try {
    await instance.start(options);
    return instance;
  } catch (error) {
    await instance.close({ graceMs: 0 });
    throw error;
  }
}

/** A running instance. */
export abstract class Instance<C extends TunnelConfig = TunnelConfig> implements TunnelHandle {
  readonly finished: Promise<void>;
  protected readonly context: TunnelContext<C>;
  #finish!: () => void;
  #fail!: (error: unknown) => void;
  #closing: Promise<void> | null = null;
  #stopCheckpoints: () => void = () => {};

  constructor(context: TunnelContext<C>) {
    this.context = context;
    this.finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
  }

  abstract get addr(): SocketAddress | null;
  abstract get entries(): readonly SocketAddress[];
  abstract reload(): Promise<void>;

  /** True from the moment when `close` was called. */
  protected get closing(): boolean {
    return this.#closing !== null;
  }

  protected abstract state(): InstanceState;

  /** Asked once `shutDown` was called: resolves when nothing listens any more. */
  protected abstract portsFree(): Promise<unknown>;

  /** Accepts nothing more, drains, lets go of everything. Called once. */
  protected abstract shutDown(graceMs: number): Promise<void>;

  /** What is done once by workers that serve an instance together is done by the first. */
  protected get first(): boolean {
    return this.context.crew === null || this.context.crew.index === 0;
  }

  /** Writes the periodic record from now on; that of workers is their main thread's. */
  protected startReports({ onReport }: InstanceOptions): void {
    if (this.context.crew !== null) return;
    this.#stopCheckpoints = startCheckpoints(this.context, { stats: () => this.stats(), onReport });
  }

  /** Ends the instance for good because of an error. */
  protected fail(error: unknown): void {
    this.#fail(error);
    // Nobody may be waiting for the end of an instance that failed.
    this.finished.catch(() => {});
    void this.close({ graceMs: 0 });
  }

  stats(): TunnelStats {
    const { tcp, tcpOpened, udp, traffic, rejections } = this.context.ledger;
    const sessions = { tcpSessions: tcp, tcpOpened, udpSessions: udp };
    return { ...this.state(), ...sessions, ...traffic, rejections: { ...rejections } };
  }

  sessions(): readonly SessionInfo[] {
    return this.context.ledger.list();
  }

  endSession(id: string): boolean {
    return this.context.ledger.cut(id);
  }

  close({ graceMs, onReleased }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(graceMs ?? this.context.config.settings.shutdownTimeoutMs);
    if (onReleased !== undefined) this.#release(onReleased);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #release(onReleased: () => void): void {
    if (this.entries.length > 0) {
      for (const { id, protocol } of this.sessions()) if (protocol === "udp") this.endSession(id);
    }
    void this.portsFree().then(onReleased);
  }

  async #close(graceMs: number): Promise<void> {
    await this.shutDown(graceMs);
    await this.portsFree();
    this.#stopCheckpoints();
    this.#finish();
  }
}
