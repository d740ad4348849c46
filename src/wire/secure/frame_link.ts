/**
 * One framed, reusable link: a read loop for its whole life, one session at a time.
 *
 * The ingress end announces sessions (`open`), the egress end hears of them (`events.opened`). A session is over when
 * both ends sent FIN or ABORT; the egress end then sends READY and the link serves the next visitor.
 *
 * @module
 */
import { messageOf, NodePassError } from "../../errors.ts";
import type { Conn } from "../../runtime/types.ts";
import type { AbortReason, Opening, SessionReceiver } from "../types.ts";
import { ACKNOWLEDGEMENT, Acknowledger } from "./acknowledger.ts";
import { FrameSession } from "./frame_session.ts";
import type { FrameLinkEvents, FrameLinkOptions, LinkState } from "./frame_link_types.ts";
import { FrameWriter } from "./frame_writer.ts";
import { LinkPulse, type PulseVerdict } from "./link_pulse.ts";
import { ReadBuffer } from "./read_buffer.ts";
import {
  abortCode,
  abortReason,
  encodeAbort,
  encodeFin,
  encodePing,
  encodePong,
  encodeReady,
  FRAME_HEADER_BYTES,
  FrameType,
  MAX_FRAME_BYTES,
  parseOpen,
  parseSequence,
  parseToken,
} from "./frames.ts";

const START_BUFFER_BYTES = 4 * 1024;
/** No frame other than DATA is longer on a session link. */
const MAX_SIGNAL_BYTES = 4096;

const ABORT_DEADLINE_MS = 3_000;

/** See the module. */
export class FrameLink {
  readonly conn: Conn;
  readonly counter: number;
  readonly end: "ingress" | "egress";
  /** The link closed while it waited for a visitor. */
  wasReady = false;
  #state: LinkState = "ready";
  #session: FrameSession | null = null;
  #sequence = 0;
  readonly #options: FrameLinkOptions;
  readonly #events: FrameLinkEvents;
  readonly #writer: FrameWriter;
  readonly #acknowledger: Acknowledger | null;
  readonly #pulse: LinkPulse;
  /** Waiting for bytes, rather than for the session's socket to take some. */
  #reading = false;
  #heard = false;
  #abortedAt = 0;

  constructor(options: FrameLinkOptions) {
    this.#options = options;
    this.#events = options.events;
    this.conn = options.conn;
    this.counter = options.counter;
    this.end = options.end;
    this.#writer = new FrameWriter(options.conn, (error) => this.fail(error));
    this.#acknowledger = options.acknowledge === null ? null : new Acknowledger(this.#writer, options.acknowledge);
    this.#pulse = new LinkPulse(options.now());
  }

  get state(): LinkState {
    return this.#state;
  }

  get session(): FrameSession | null {
    return this.#session;
  }

  /** Ingress: puts a new session on this ready link. The OPEN leaves with the first bytes, or by `announce`. */
  open(opening: Opening, receiver: SessionReceiver): FrameSession {
    const session = new FrameSession(opening, receiver);
    this.adopt(session);
    return session;
  }

  /** Ingress: puts a session on this ready link whose first link broke before anything of it was sent. */
  adopt(session: FrameSession): void {
    if (this.#state !== "ready") throw new NodePassError("closed", `Cannot open a session on a ${this.#state} link`);
    this.#sequence = (this.#sequence + 1) >>> 0;
    session.openedAt = this.#options.now();
    session.place(this, this.#sequence, true);
    this.#session = session;
    this.#move("busy");
  }

  /** Sends a whole frame of a session that lies in `buffer[start, end)`. */
  send(buffer: Uint8Array, start: number, end: number, session: FrameSession): Promise<void> {
    return this.#writer.send(buffer, start, end, session);
  }

  /** Sends a small frame as soon as the one in flight is through. Never waits, never throws. */
  signal(frame: Uint8Array): void {
    this.#writer.signal(frame);
  }

  /** The session's own direction has ended. */
  finish(session: FrameSession): void {
    if (session !== this.#session) return;
    this.signal(encodeFin(session.sequence));
    this.#endIfOver();
  }

  /** Ends both directions of the session. */
  abort(session: FrameSession, reason: AbortReason): void {
    if (session !== this.#session) return;
    const blocked = this.#writer.busy;
    session.localEnded = true;
    if (blocked) {
      this.#cancel(session);
      return;
    }
    this.#abortedAt = this.#options.now();
    this.signal(encodeAbort(session.sequence, abortCode(reason)));
    this.#endIfOver();
  }

  /** Ingress: takes back a session that was never announced; the link is ready again. */
  withdraw(session: FrameSession): void {
    if (session !== this.#session) return;
    this.#session = null;
    this.#sequence = (this.#sequence - 1) >>> 0;
    this.#becomeReady();
  }

  /** Ingress: gives back a link that was taken and not used. */
  release(): void {
    if (this.#state === "ready") this.#events.ready(this);
  }

  /** The other end cancelled this session through the control channel. */
  cancelled(sequence: number): void {
    if (this.#session?.sequence === sequence) this.fail(new NodePassError("connection_reset", "Session was cancelled"));
  }

  /** Closes the link; a session on it ends with `link_lost`. */
  close(): void {
    this.fail(new NodePassError("closed", "Link was closed"));
  }

  /** Ends the link because of an error. Idempotent. */
  fail(error: unknown): void {
    if (this.#state === "closed") return;
    const session = this.#session;
    this.#session = null;
    this.wasReady = this.#state === "ready";
    this.#move("closed");
    this.conn.close();
    this.#writer.close();
    const reason = error instanceof NodePassError ? error : new NodePassError("io", messageOf(error), { cause: error });
    if (session !== null) this.#abandon(session);
    this.#events.closed(this, reason);
  }

  /**
   * Coarse timers, about once a second.
   *
   * @param controlLostAt when the control channel of the other end died; null while it lives
   */
  tick(now: number, controlLostAt: number | null): void {
    if (this.#state === "closed") return;
    const session = this.#session;
    if (session !== null && session.aborted !== null && now - this.#abortedAt >= ABORT_DEADLINE_MS) {
      return this.#cancel(session);
    }
    const unacknowledged = this.end === "ingress" && session !== null && !session.acknowledged;
    const verdict = this.#pulse.look({
      now,
      heard: this.#heard,
      wrote: this.#writer.wrote,
      reading: this.#reading,
      writing: this.#writer.busy,
      openedAt: unacknowledged ? session.openedAt : null,
      controlLostAt,
    });
    this.#heard = this.#writer.wrote = false;
    this.#act(verdict);
  }

  /** Reads until the link ends. Never rejects. */
  async run(): Promise<void> {
    const buffer = new ReadBuffer(START_BUFFER_BYTES, this.#options.maxBufferBytes);
    let dataLeft = 0;
    try {
      for (;;) {
        this.#reading = true;
        const askedAt = this.#options.now();
        const n = await this.conn.read(buffer.room());
        this.#reading = false;
        if (n === null) throw new NodePassError("connection_reset", "Link was closed by the other end");
        this.#heard = true;
        if (this.#session !== null) this.#session.acknowledged = true;
        this.#acknowledger?.heard();
        this.#writer.wrote = false;
        buffer.added(n);
        const { bytes, have } = buffer;
        const gather = buffer.gathers(this.#options.now() - askedAt);
        let at = 0;
        while (at < have) {
          if (dataLeft > 0) {
            const length = Math.min(dataLeft, have - at);
            // The other end has the whole frame already: what is missing of it follows without being asked for.
            if (gather && length < dataLeft) break;
            await this.#deliver(bytes.subarray(at, at + length));
            at += length;
            dataLeft -= length;
            continue;
          }
          if (have - at < FRAME_HEADER_BYTES) break;
          const type = bytes[at]!;
          const length = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
          if (type === FrameType.DATA) {
            this.#checkData(length);
            dataLeft = length;
            at += FRAME_HEADER_BYTES;
            continue;
          }
          if (length > MAX_SIGNAL_BYTES) throw tooLong(type, length);
          const next = at + FRAME_HEADER_BYTES + length;
          if (next > have) break;
          await this.#hear(type, bytes.subarray(at + FRAME_HEADER_BYTES, next));
          at = next;
        }
        if (!this.#writer.wrote && this.#state === "busy") this.#acknowledger?.answer(n);
        buffer.taken(at, this.#state === "ready");
      }
    } catch (error) {
      this.#reading = false;
      this.fail(error);
    }
  }

  #checkData(length: number): void {
    if (length > MAX_FRAME_BYTES) throw tooLong(FrameType.DATA, length);
    const session = this.#session;
    if (session === null || session.remoteEnded) {
      throw new NodePassError("protocol", "Peer sent DATA outside a session");
    }
  }

  /** Hands bytes to the session's socket and waits until it took them. */
  async #deliver(chunk: Uint8Array): Promise<void> {
    const session = this.#session;
    if (session === null || session.aborted !== null) return;
    try {
      await session.receiver!.data(chunk);
    } catch {
      session.abort("reset");
    }
  }

  #hear(type: number, payload: Uint8Array): void | Promise<void> {
    switch (type) {
      case FrameType.OPEN:
        return this.#hearOpen(payload);
      case FrameType.FIN:
        return this.#hearFin(parseSequence(payload));
      case FrameType.ABORT:
        return this.#hearAbort(parseSequence(payload), abortReason(payload[4]));
      case FrameType.READY:
        return this.#hearReady(parseSequence(payload));
      case FrameType.PING:
        return this.signal(encodePong(parseToken(payload)));
      case FrameType.PONG:
        return;
      default:
        if (type < 0x80) throw new NodePassError("protocol", `Peer sent frame type ${type} on a link for sessions`);
    }
  }

  #hearOpen(payload: Uint8Array): void {
    const { sequence, opening } = parseOpen(payload);
    const expected = (this.#sequence + 1) >>> 0;
    if (this.end !== "egress" || this.#state !== "ready" || sequence !== expected) {
      throw new NodePassError(
        "protocol",
        `Peer sent OPEN ${sequence} on a ${this.#state} link that expects ${expected}`,
      );
    }
    this.#sequence = sequence;
    const session = new FrameSession(opening, null);
    session.acknowledged = true;
    session.place(this, sequence, false);
    this.#session = session;
    this.#move("busy");
    this.#events.opened(session);
  }

  async #hearFin(sequence: number): Promise<void> {
    const session = this.#current(sequence, "FIN");
    if (session.aborted === null) {
      try {
        await session.receiver!.end();
      } catch {
        session.abort("reset");
      }
    }
    session.remoteEnded = true;
    this.#endIfOver();
  }

  #hearAbort(sequence: number, reason: AbortReason): void {
    // The session ended here while the other end's ABORT, sent after its FIN, was under way.
    if (this.#session === null && sequence === this.#sequence) return;
    const session = this.#current(sequence, "ABORT");
    session.remoteEnded = true;
    session.fail(reason);
    if (!session.localEnded) {
      session.localEnded = true;
      this.signal(encodeAbort(sequence, abortCode(reason)));
    }
    this.#endIfOver();
  }

  #hearReady(sequence: number): void {
    if (this.#state !== "settling" || sequence !== this.#sequence) {
      throw new NodePassError("protocol", `Peer sent READY ${sequence} on a ${this.#state} link`);
    }
    this.#becomeReady();
  }

  #current(sequence: number, what: string): FrameSession {
    const session = this.#session;
    // An ABORT may follow the FIN of the same direction, nothing else may.
    if (session === null || session.sequence !== sequence || (session.remoteEnded && what !== "ABORT")) {
      throw new NodePassError("protocol", `Peer sent ${what} ${sequence}, which is not the session on the link`);
    }
    return session;
  }

  #endIfOver(): void {
    const session = this.#session;
    if (session === null || !session.localEnded || !session.remoteEnded) return;
    this.#session = null;
    if (this.end === "egress") {
      this.signal(encodeReady(session.sequence));
      session.settle();
      this.#becomeReady();
    } else {
      this.#move("settling");
      session.settle();
    }
  }

  #becomeReady(): void {
    this.#move("ready");
    this.#events.ready(this);
  }

  /** A session that cannot be ended on its link: the link goes, the control channel carries the news. */
  #cancel(session: FrameSession): void {
    this.#events.cancel(this, session.sequence);
    this.fail(new NodePassError("connection_reset", "Session was aborted behind a stalled reader"));
  }

  #abandon(session: FrameSession): void {
    if (this.end === "ingress" && session.movable && session.aborted === null) {
      session.unplace();
      this.#events.orphaned(session);
      return;
    }
    session.fail("link_lost");
    session.settle();
  }

  #act(verdict: PulseVerdict): void {
    switch (verdict) {
      case "ping":
        return this.signal(encodePing(0));
      case "pong":
        return this.signal(ACKNOWLEDGEMENT);
      case "silent":
        return this.fail(new NodePassError("timed_out", `Link was silent for ${Math.round(this.#pulse.silentMs)} ms`));
      case "blocked":
        return this.fail(new NodePassError("timed_out", "Link is blocked and its other end is gone"));
    }
  }

  #move(to: LinkState): void {
    this.#state = to;
  }
}

function tooLong(type: number, length: number): NodePassError {
  return new NodePassError(
    "protocol",
    `Frame of type ${type} announces ${length} bytes, the limit is ${MAX_FRAME_BYTES}`,
  );
}
