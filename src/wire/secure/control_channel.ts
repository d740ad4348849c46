/**
 * The control channel: round trips, pool demand, configuration, cancelled sessions, going away.
 *
 * @module
 */
import type { Timer } from "../../runtime/types.ts";
import { Channel, type ChannelOptions } from "../channel.ts";
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
export interface ControlChannelOptions extends ChannelOptions {
  /** Called for every message but PING and PONG, in order. */
  readonly onMessage: (message: ControlMessage) => void;
}

/** No control frame is longer. */
const MAX_FRAME_BYTES = MAX_CONFIG_BYTES;
const START_BUFFER_BYTES = 512;

/** See the module. */
export class ControlChannel extends Channel {
  /** It is in this thread. */
  readonly local = true;
  readonly #onMessage: (message: ControlMessage) => void;
  protected override timer: Timer;
  #token = 0;
  #pingedAt = 0;

  constructor(options: ControlChannelOptions) {
    super(options, "Control channel");
    this.#onMessage = options.onMessage;
    this.timer = options.clock.every(options.intervalMs, () => this.beat());
  }

  /** Sends one frame, in order. Never waits, never throws: a broken channel ends itself. */
  send(frame: Uint8Array): void {
    this.queue(frame);
  }

  protected override async listen(): Promise<void> {
    const buffer = new ReadBuffer(START_BUFFER_BYTES, FRAME_HEADER_BYTES + MAX_FRAME_BYTES);
    this.ping();
    for (;;) {
      buffer.added(await this.read(buffer.room()));
      this.heard();
      const { bytes, have } = buffer;
      let at = 0;
      for (let end = 0; (end = frameEnd(bytes, at, have, MAX_FRAME_BYTES)) > 0; at = end) {
        this.#hear(bytes[at]!, bytes.slice(at + FRAME_HEADER_BYTES, end));
        if (this.closed) return;
      }
      buffer.taken(at, true);
    }
  }

  protected override ping(): void {
    this.#token = (this.#token + 1) >>> 0;
    this.#pingedAt = this.clock.now();
    this.send(encodePing(this.#token));
  }

  #hear(type: number, payload: Uint8Array): void {
    if (type === FrameType.PING) return this.send(encodePong(parseToken(payload)));
    if (type === FrameType.PONG) {
      if (parseToken(payload) === this.#token) this.pingMs = Math.max(0, this.clock.now() - this.#pingedAt);
      return;
    }
    const message = parseControlMessage(type, payload);
    if (message !== null) this.#onMessage(message);
  }
}
