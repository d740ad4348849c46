/**
 * The control channel: round trips, pool demand, configuration, cancelled sessions, going away.
 *
 * @module
 */
import { messageOf, NodePassError } from "../../errors.ts";
import type { Clock, Conn, Timer } from "../../runtime/types.ts";
import { frameEnd } from "./frame_end.ts";
import {
  type ControlMessage,
  encodePing,
  encodePong,
  FRAME_HEADER_BYTES,
  FrameType,
  MAX_CONFIG_BYTES,
  parseControlMessage,
  parseToken,
} from "./frames.ts";
import { ReadBuffer } from "./read_buffer.ts";

/** Options of {@linkcode ControlChannel}. */
export interface ControlChannelOptions {
  readonly conn: Conn;
  readonly clock: Clock;
  /** Time between PINGs; three silent ones end the channel. */
  readonly intervalMs: number;
  /** Called for every message but PING and PONG, in order. */
  readonly onMessage: (message: ControlMessage) => void;
}

/** No control frame is longer. */
const MAX_FRAME_BYTES = MAX_CONFIG_BYTES;
const START_BUFFER_BYTES = 512;
const MAX_QUEUED_FRAMES = 4096;
const SILENT_INTERVALS = 3;
/** How long a close waits for what is still to be sent. */
const CLOSE_MS = 500;

/** See the module. */
export class ControlChannel {
  readonly conn: Conn;
  /** It is in this thread. */
  readonly local = true;
  /** Resolves with what ended the channel. */
  readonly finished: Promise<NodePassError>;
  /** Last round trip in ms; 0 before the first. */
  pingMs = 0;
  readonly #options: ControlChannelOptions;
  readonly #timer: Timer;
  #finish!: (error: NodePassError) => void;
  #closed = false;
  #queue: Uint8Array[] = [];
  #sending = false;
  /** Settles when everything that was queued is sent, or the channel is broken. */
  #flushed: Promise<void> = Promise.resolve();
  #heardAt: number;
  #token = 0;
  #pingedAt = 0;

  constructor(options: ControlChannelOptions) {
    this.#options = options;
    this.conn = options.conn;
    this.#heardAt = options.clock.now();
    this.finished = new Promise((resolve) => this.#finish = resolve);
    this.#timer = options.clock.every(options.intervalMs, () => this.#beat());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends one frame, in order. Never waits, never throws: a broken channel ends itself. */
  send(frame: Uint8Array): void {
    if (this.#closed) return;
    if (this.#queue.length >= MAX_QUEUED_FRAMES) {
      return this.fail(new NodePassError("timed_out", "Control channel is stuck"));
    }
    this.#queue.push(frame);
    if (!this.#sending) this.#flushed = this.#flush();
  }

  /** Reads until the channel ends. Never rejects. Call once. */
  async run(): Promise<void> {
    const buffer = new ReadBuffer(START_BUFFER_BYTES, FRAME_HEADER_BYTES + MAX_FRAME_BYTES);
    try {
      this.#ping();
      for (;;) {
        const n = await this.conn.read(buffer.room());
        if (n === null) throw new NodePassError("connection_reset", "Control channel was closed by the other end");
        this.#heardAt = this.#options.clock.now();
        buffer.added(n);
        const { bytes, have } = buffer;
        let at = 0;
        for (let end = 0; (end = frameEnd(bytes, at, have, MAX_FRAME_BYTES)) > 0; at = end) {
          this.#hear(bytes[at]!, bytes.slice(at + FRAME_HEADER_BYTES, end));
          if (this.#closed) return;
        }
        buffer.taken(at, true);
      }
    } catch (error) {
      this.fail(error);
    }
  }

  /** Sends what is queued, for a moment at most, then closes. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    if (this.#sending) {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      // A stuck peer must not hold a shutdown.
      const timer = this.#options.clock.after(CLOSE_MS, resolve);
      await Promise.race([this.#flushed, late]);
      timer.cancel();
    }
    this.fail(new NodePassError("closed", "Control channel was closed"));
  }

  /** Ends the channel because of an error. Idempotent. */
  fail(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer.cancel();
    this.conn.close();
    this.#finish(error instanceof NodePassError ? error : new NodePassError("io", messageOf(error), { cause: error }));
  }

  #hear(type: number, payload: Uint8Array): void {
    if (type === FrameType.PING) return this.send(encodePong(parseToken(payload)));
    if (type === FrameType.PONG) {
      if (parseToken(payload) === this.#token) this.pingMs = Math.max(0, this.#options.clock.now() - this.#pingedAt);
      return;
    }
    const message = parseControlMessage(type, payload);
    if (message !== null) this.#options.onMessage(message);
  }

  #beat(): void {
    const silent = this.#options.clock.now() - this.#heardAt;
    if (silent >= SILENT_INTERVALS * this.#options.intervalMs) {
      this.fail(new NodePassError("timed_out", `Control channel was silent for ${Math.round(silent)} ms`));
    } else {
      this.#ping();
    }
  }

  #ping(): void {
    this.#token = (this.#token + 1) >>> 0;
    this.#pingedAt = this.#options.clock.now();
    this.send(encodePing(this.#token));
  }

  async #flush(): Promise<void> {
    this.#sending = true;
    try {
      while (this.#queue.length > 0 && !this.#closed) {
        const frame = this.#queue.shift()!;
        let at = 0;
        while (at < frame.length) at += await this.conn.write(at === 0 ? frame : frame.subarray(at));
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#sending = false;
    }
  }
}
