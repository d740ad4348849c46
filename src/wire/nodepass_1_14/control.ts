/**
 * The control connection: signals in both directions, and whether the other end still answers.
 *
 * @module
 */
import { joinBytes } from "../../bytes/join.ts";
import { messageOf, NodePassError } from "../../errors.ts";
import type { Clock, Conn, Timer } from "../../runtime/types.ts";
import { encodeSignal, type Signal, SignalReader } from "./signals.ts";

/** Options of {@linkcode SignalChannel}. */
export interface SignalChannelOptions {
  readonly conn: Conn;
  readonly key: string;
  readonly clock: Clock;
  /** Time between pings. Without a line for three of them the channel ends. */
  readonly intervalMs: number;
  /** Called for every signal but pings and pongs, in order. */
  readonly onSignal: (signal: Signal) => void;
  /** A line was skipped. */
  readonly onSkipped: (reason: string) => void;
}

/** The other end may read a little later than this one. */
const FIRST_PING_MS = 50;
const SILENT_INTERVALS = 3;
const READ_BYTES = 4 * 1024;
/** Lines that wait for the write in flight; more mean that the other end does not read. */
const MAX_QUEUED_BYTES = 512 * 1024;
/** How long a close waits for what is still to be sent. */
const CLOSE_MS = 500;

/** See the module. */
export class SignalChannel {
  readonly conn: Conn;
  /** Resolves with what ended the channel. */
  readonly finished: Promise<NodePassError>;
  /** Last round trip in ms; 0 before the first. */
  pingMs = 0;
  readonly #options: SignalChannelOptions;
  readonly #key: Uint8Array;
  readonly #reader: SignalReader;
  #timer: Timer;
  #finish!: (error: NodePassError) => void;
  #closed = false;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** Settles when everything that was queued is sent, or the channel is broken; null while nothing waits. */
  #flushing: Promise<void> | null = null;
  #heardAt: number;
  #pingedAt: number | null = null;

  constructor(options: SignalChannelOptions) {
    this.#options = options;
    this.conn = options.conn;
    this.#key = new TextEncoder().encode(options.key);
    this.#reader = new SignalReader(this.#key, (reason) => {
      this.#heardAt = options.clock.now();
      options.onSkipped(reason);
    });
    this.#heardAt = options.clock.now();
    this.finished = new Promise((resolve) => this.#finish = resolve);
    this.#timer = options.clock.after(FIRST_PING_MS, () => {
      this.#timer = options.clock.every(options.intervalMs, () => this.#beat());
      this.#ping();
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends one signal, in order. Never waits, never throws: a broken channel ends itself. */
  send(signal: Signal): void {
    if (this.#closed) return;
    if (this.#queuedBytes >= MAX_QUEUED_BYTES) {
      return this.fail(new NodePassError("timed_out", "Control connection is stuck"));
    }
    const line = encodeSignal(signal, this.#key);
    this.#queue.push(line);
    this.#queuedBytes += line.length;
    this.#flushing ??= this.#flush();
  }

  /** Reads until the channel ends. Never rejects. Call once. */
  async run(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    try {
      while (!this.#closed) {
        const count = await this.conn.read(buffer);
        if (count === null) {
          throw new NodePassError("connection_reset", "Control connection was closed by the other end");
        }
        for (const signal of this.#reader.push(buffer.subarray(0, count))) {
          this.#heardAt = this.#options.clock.now();
          this.#hear(signal);
          if (this.#closed) return;
        }
      }
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
      const timer = this.#options.clock.after(CLOSE_MS, resolve);
      await Promise.race([this.#flushing, late]);
      timer.cancel();
    }
    this.fail(new NodePassError("closed", "Control connection was closed"));
  }

  /** Ends the channel because of an error. Idempotent. */
  fail(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer.cancel();
    this.conn.close();
    this.#finish(error instanceof NodePassError ? error : new NodePassError("io", messageOf(error), { cause: error }));
  }

  #hear(signal: Signal): void {
    if (signal.action === "ping") return this.send({ action: "pong" });
    if (signal.action !== "pong") return this.#options.onSignal(signal);
    if (this.#pingedAt === null) return;
    this.pingMs = Math.max(0, this.#options.clock.now() - this.#pingedAt);
    this.#pingedAt = null;
  }

  #beat(): void {
    const silent = this.#options.clock.now() - this.#heardAt;
    if (silent >= SILENT_INTERVALS * this.#options.intervalMs) {
      this.fail(new NodePassError("timed_out", `Control connection was silent for ${Math.round(silent)} ms`));
    } else {
      this.#ping();
    }
  }

  #ping(): void {
    // A pong names no ping: the time counts from the oldest one that has no answer.
    this.#pingedAt ??= this.#options.clock.now();
    this.send({ action: "ping" });
  }

  async #flush(): Promise<void> {
    try {
      while (this.#queue.length > 0 && !this.#closed) {
        const lines = joinBytes(this.#queue, this.#queuedBytes);
        this.#queue = [];
        this.#queuedBytes = 0;
        let at = 0;
        while (at < lines.length) at += await this.conn.write(at === 0 ? lines : lines.subarray(at));
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#flushing = null;
    }
  }
}
