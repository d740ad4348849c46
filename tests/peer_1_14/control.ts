/**
 * The control connection of the peer: lines both ways, pings, and when it is dead.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type net from "node:net";
import { Bell } from "./bell.ts";
import { lineOf, type PeerSignal, signalOf } from "./dialect.ts";

const LINE_LIMIT = 8_192;

/** When the peer pings, and whether it answers. */
export interface Pulse {
  /** First ping after the start. @default 50 */
  readonly firstPingMs?: number;
  /** Time between pings; after three of them without a line the connection is dead. @default 5000 */
  readonly pingMs?: number;
  /** Neither pings nor answers. @default false */
  readonly mute?: boolean;
}

/** One control connection. */
export class PeerControl {
  /** What came, undecodable lines left out. */
  readonly received: PeerSignal[] = [];
  /** Lines that were no signal. */
  readonly garbage: string[] = [];
  /** Why it ended. */
  readonly finished: Promise<string>;
  /** Round trip of the last ping. */
  pingMs: number | null = null;
  readonly #socket: net.Socket;
  readonly #key: string;
  readonly #pulse: Required<Pulse>;
  readonly #onSignal: (signal: PeerSignal) => void;
  readonly #bell = new Bell();
  #timers: ReturnType<typeof setTimeout>[] = [];
  #heard = performance.now();
  #pinged = 0;
  #rest = "";
  #end!: (reason: string) => void;

  constructor(socket: net.Socket, key: string, pulse: Pulse, onSignal: (signal: PeerSignal) => void) {
    this.#socket = socket;
    this.#key = key;
    this.#pulse = { firstPingMs: 50, pingMs: 5_000, mute: false, ...pulse };
    this.#onSignal = onSignal;
    this.finished = new Promise((resolve) => this.#end = resolve);
    socket.on("data", (bytes: Buffer) => this.#take(bytes.toString("latin1")));
    socket.on("end", () => this.close("the other end closed the control connection"));
    socket.on("close", () => this.close("the control connection broke"));
    this.#timers.push(setTimeout(() => this.#beat(), this.#pulse.firstPingMs));
  }

  /** Writes signals, all in one piece. */
  send(...signals: PeerSignal[]): void {
    this.write(signals.map((signal) => lineOf(signal, this.#key)).join(""));
  }

  /** Writes text as it is. */
  write(text: string): void {
    if (this.#socket.writable) this.#socket.write(text);
  }

  /** The first signal that fits, now or later. */
  async signal(fits: (signal: PeerSignal) => boolean, ms = 8_000): Promise<PeerSignal> {
    const found = await this.#bell.until(() => this.received.find(fits), ms);
    if (found !== null) return found;
    throw new Error(`No such signal in ${ms} ms, only ${this.received.map(({ action }) => action).join(" ")}`);
  }

  /** Ends it; the first reason counts. */
  close(reason = "closed here"): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#socket.destroy();
    this.#end(reason);
  }

  #beat(): void {
    const { pingMs, mute } = this.#pulse;
    if (performance.now() - this.#heard > 3 * pingMs) return this.close("nothing came for three intervals");
    if (!mute) {
      this.#pinged = performance.now();
      this.send({ action: "ping" });
    }
    this.#timers = [setTimeout(() => this.#beat(), pingMs)];
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!;
    if (this.#rest.length > LINE_LIMIT) return this.close("a line without an end came");
    for (const line of lines) {
      let signal: PeerSignal;
      try {
        signal = signalOf(line, this.#key);
      } catch {
        this.garbage.push(line);
        continue;
      }
      this.#heard = performance.now();
      this.received.push(signal);
      if (signal.action === "ping" && !this.#pulse.mute) this.send({ action: "pong" });
      if (signal.action === "pong") this.pingMs = performance.now() - this.#pinged;
      this.#onSignal(signal);
    }
    this.#bell.ring();
  }
}
