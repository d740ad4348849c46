/**
 * What every control connection does: sends in order, notices silence, ends once.
 *
 * @module
 */
import { joinBytes } from "../bytes/join.ts";
import { messageOf, NodePassError } from "../errors.ts";
import type { Clock, Conn, Timer } from "../runtime/types.ts";

/** Options of {@linkcode Channel}. */
export interface ChannelOptions {
  readonly conn: Conn;
  readonly clock: Clock;
  /** Time between pings. Three of them without a word from the other end are the end of the channel. */
  readonly intervalMs: number;
}

const SILENT_INTERVALS = 3;
/** Bytes that wait for the write in flight; more mean that the other end does not read. */
const MAX_QUEUED_BYTES = 512 * 1024;
/** How long a close waits for what is still to be sent. */
const CLOSE_MS = 500;

/** A control connection of either wire. */
export abstract class Channel {
  readonly conn: Conn;
  /** Resolves with what ended the channel. */
  readonly finished: Promise<NodePassError>;
  /** Last round trip in ms; 0 before the first. */
  pingMs = 0;
  protected readonly clock: Clock;
  /** What calls `beat`; ends with the channel. */
  protected abstract timer: Timer;
  /** As messages call it. */
  readonly #name: string;
  readonly #intervalMs: number;
  #finish!: (error: NodePassError) => void;
  #closed = false;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** Settles when everything that was queued is sent, or the channel is broken; null while nothing waits. */
  #flushing: Promise<void> | null = null;
  #heardAt: number;

  constructor({ conn, clock, intervalMs }: ChannelOptions, name: string) {
    this.conn = conn;
    this.clock = clock;
    this.#name = name;
    this.#intervalMs = intervalMs;
    this.#heardAt = clock.now();
    this.finished = new Promise((resolve) => this.#finish = resolve);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Reads until the channel ends. Never rejects. Call once. */
  async run(): Promise<void> {
    try {
      await this.listen();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Sends what is queued, for a moment at most, then closes. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    if (this.#flushing !== null) {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      // A stuck peer must not hold a shutdown.
      const timer = this.clock.after(CLOSE_MS, resolve);
      await Promise.race([this.#flushing, late]);
      timer.cancel();
    }
    this.fail(new NodePassError("closed", `${this.#name} was closed`));
  }

  /** Ends the channel because of an error. Idempotent. */
  fail(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.timer.cancel();
    this.conn.close();
    this.#finish(error instanceof NodePassError ? error : new NodePassError("io", messageOf(error), { cause: error }));
  }

  /** Reads and hears what comes, until the channel is closed or the other end breaks the rules. */
  protected abstract listen(): Promise<void>;

  /** Asks the other end for a word. */
  protected abstract ping(): void;

  /** One read; its end is an error. */
  protected async read(into: Uint8Array): Promise<number> {
    const count = await this.conn.read(into);
    if (count === null) throw new NodePassError("connection_reset", `${this.#name} was closed by the other end`);
    return count;
  }

  /** The other end lives. */
  protected heard(): void {
    this.#heardAt = this.clock.now();
  }

  /** Once per interval. */
  protected beat(): void {
    const silent = this.clock.now() - this.#heardAt;
    if (silent < SILENT_INTERVALS * this.#intervalMs) return this.ping();
    this.fail(new NodePassError("timed_out", `${this.#name} was silent for ${Math.round(silent)} ms`));
  }

  /** Sends, in order. Never waits, never throws: a broken channel ends itself. */
  protected queue(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#queuedBytes >= MAX_QUEUED_BYTES) {
      return this.fail(new NodePassError("timed_out", `${this.#name} is stuck`));
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#flushing ??= this.#flush();
  }

  async #flush(): Promise<void> {
    try {
      while (this.#queue.length > 0 && !this.#closed) {
        const bytes = joinBytes(this.#queue, this.#queuedBytes);
        this.#queue = [];
        this.#queuedBytes = 0;
        let at = 0;
        while (at < bytes.length) at += await this.conn.write(at === 0 ? bytes : bytes.subarray(at));
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#flushing = null;
    }
  }
}
