/**
 * The control connection: signals in both directions, and whether the other end still answers.
 *
 * @module
 */
import type { Timer } from "../../runtime/types.ts";
import { Channel, type ChannelOptions } from "../channel.ts";
import { encodeSignal, type Signal, SignalReader } from "./signals.ts";

/** Options of {@linkcode SignalChannel}. */
export interface SignalChannelOptions extends ChannelOptions {
  readonly key: string;
  /** Called for every signal but pings and pongs, in order. */
  readonly onSignal: (signal: Signal) => void;
  /** A line was skipped. */
  readonly onSkipped: (reason: string) => void;
}

/** The other end may read a little later than this one. */
const FIRST_PING_MS = 50;
const READ_BYTES = 4 * 1024;

/** See the module. */
export class SignalChannel extends Channel {
  readonly #onSignal: (signal: Signal) => void;
  readonly #key: Uint8Array;
  readonly #reader: SignalReader;
  protected override timer: Timer;
  #pingedAt: number | null = null;

  constructor(options: SignalChannelOptions) {
    super(options, "Control connection");
    const { clock, intervalMs, key, onSignal, onSkipped } = options;
    this.#onSignal = onSignal;
    this.#key = new TextEncoder().encode(key);
    this.#reader = new SignalReader(this.#key, (reason) => {
      this.heard();
      onSkipped(reason);
    });
    this.timer = clock.after(FIRST_PING_MS, () => {
      this.timer = clock.every(intervalMs, () => this.beat());
      this.ping();
    });
  }

  /** Sends one signal, in order. Never waits, never throws: a broken channel ends itself. */
  send(signal: Signal): void {
    this.queue(encodeSignal(signal, this.#key));
  }

  protected override async listen(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    while (!this.closed) {
      const count = await this.read(buffer);
      for (const signal of this.#reader.push(buffer.subarray(0, count))) {
        this.heard();
        this.#hear(signal);
        if (this.closed) return;
      }
    }
  }

  protected override ping(): void {
    // A pong names no ping: the time counts from the oldest one that has no answer.
    this.#pingedAt ??= this.clock.now();
    this.send({ action: "ping" });
  }

  #hear(signal: Signal): void {
    if (signal.action === "ping") return this.send({ action: "pong" });
    if (signal.action !== "pong") return this.#onSignal(signal);
    if (this.#pingedAt === null) return;
    this.pingMs = Math.max(0, this.clock.now() - this.#pingedAt);
    this.#pingedAt = null;
  }
}
