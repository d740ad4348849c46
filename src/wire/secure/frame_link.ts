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
import { FrameSession } from "./frame_session.ts";
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

/** A link is in exactly one of these states; `FrameLink.#move` changes it. */
export type LinkState =
  /** Waits for a visitor. */
  | "ready"
  /** Carries a session. */
  | "busy"
  /** Ingress end: the session is over, READY has not arrived. */
  | "settling"
  | "closed";

/** What a link tells its owner. */
export interface FrameLinkEvents {
  /** Egress: a visitor was announced. The handler attaches a receiver or aborts before it returns. */
  opened(session: FrameSession): void;
  /** The link is ready for the next visitor. */
  ready(link: FrameLink): void;
  /** Ingress: the link broke before the other end saw the session or any byte of it: place it elsewhere or fail it. */
  orphaned(session: FrameSession): void;
  /** The session can only be ended through the control channel. */
  cancel(link: FrameLink, sequence: number): void;
  closed(link: FrameLink, error: NodePassError): void;
}

/** Options of {@linkcode FrameLink}. */
export interface FrameLinkOptions {
  readonly conn: Conn;
  readonly end: "ingress" | "egress";
  /** Counter of the link's preface: its name on the control channel. */
  readonly counter: number;
  /** Largest read buffer in bytes. */
  readonly maxBufferBytes: number;
  /** The other end cannot switch Nagle's delay off: small frames are answered at once. */
  readonly acknowledge: boolean;
  readonly now: () => number;
  readonly events: FrameLinkEvents;
}

const START_BUFFER_BYTES = 16 * 1024;
/** Reads below this on a delayed connection are answered with an empty PONG. */
const SMALL_READ_BYTES = 16 * 1024;
/** No frame other than DATA is longer on a session link. */
const MAX_SIGNAL_BYTES = 4096;
const MAX_QUEUED_SIGNALS = 64;
const ACKNOWLEDGEMENT = encodePong(0);

const OPEN_PING_MS = 900;
const OPEN_DEADLINE_MS = 2_000;
const IDLE_PING_MS = 10_000;
const IDLE_DEADLINE_MS = 15_000;
const PAUSED_PONG_MS = 4_000;
const ABORT_DEADLINE_MS = 3_000;
const BLOCKED_DEADLINE_MS = 15_000;

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
  // Sending: one writer at a time; signals queue behind the frame in flight.
  #sending = false;
  #signals: Uint8Array[] = [];
  #waiting: (() => void)[] = [];
  #wrote = false;
  #wroteAt: number;
  #sendingSince = 0;
  // Receiving.
  #reading = false;
  #heard = false;
  #heardAt: number;
  #pinged = false;
  #abortedAt = 0;

  constructor(options: FrameLinkOptions) {
    this.#options = options;
    this.#events = options.events;
    this.conn = options.conn;
    this.counter = options.counter;
    this.end = options.end;
    this.#heardAt = this.#wroteAt = options.now();
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

  /** Sends a whole frame that lies in `buffer[start, end)`, in one write where the kernel takes it. */
  async send(buffer: Uint8Array, start: number, end: number, session: FrameSession | null = null): Promise<void> {
    while (this.#sending) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    // The session may have ended while this frame waited: then its bytes belong to nobody.
    if (this.#state === "closed" || (session !== null && session.localEnded)) {
      this.#waiting.shift()?.();
      throw new NodePassError("closed", "Cannot write to a session that has ended");
    }
    this.#sending = true;
    this.#wrote = true;
    try {
      await this.#write(buffer, start, end);
      while (this.#signals.length > 0) await this.#writeSignals();
    } catch (error) {
      this.fail(error);
      throw error;
    } finally {
      this.#sending = false;
      this.#waiting.shift()?.();
    }
  }

  /** Sends a small frame as soon as the one in flight is through. Never waits, never throws. */
  signal(frame: Uint8Array): void {
    if (this.#state === "closed") return;
    if (this.#sending) {
      if (this.#signals.length >= MAX_QUEUED_SIGNALS) this.fail(new NodePassError("protocol", "Link signals pile up"));
      else this.#signals.push(frame);
      return;
    }
    this.send(frame, 0, frame.length).catch(() => {});
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
    const blocked = this.#sending;
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
    for (const wake of this.#waiting.splice(0)) wake();
    this.#signals = [];
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
    if (this.#wrote) {
      this.#wrote = false;
      this.#wroteAt = now;
    }
    if (this.#heard) {
      this.#heard = false;
      this.#heardAt = now;
      this.#pinged = false;
    }
    const session = this.#session;
    if (session !== null && session.aborted !== null && now - this.#abortedAt >= ABORT_DEADLINE_MS) {
      this.#cancel(session);
      return;
    }
    if (this.#sending) {
      if (this.#sendingSince === 0) this.#sendingSince = now;
      const lost = controlLostAt !== null && now - controlLostAt >= BLOCKED_DEADLINE_MS;
      if (lost && now - this.#sendingSince >= BLOCKED_DEADLINE_MS) {
        this.fail(new NodePassError("timed_out", "Link is blocked and its other end is gone"));
        return;
      }
    } else {
      this.#sendingSince = 0;
    }
    if (this.#reading) this.#judgeSilence(now, session);
    else if (!this.#sending && now - this.#wroteAt >= PAUSED_PONG_MS) this.signal(ACKNOWLEDGEMENT);
  }

  /** Reads until the link ends. Never rejects. */
  async run(): Promise<void> {
    const max = Math.max(START_BUFFER_BYTES, this.#options.maxBufferBytes);
    let buffer = new Uint8Array(START_BUFFER_BYTES);
    let have = 0;
    let dataLeft = 0;
    try {
      for (;;) {
        this.#reading = true;
        const n = await this.conn.read(have === 0 ? buffer : buffer.subarray(have));
        this.#reading = false;
        if (n === null) throw new NodePassError("connection_reset", "Link was closed by the other end");
        this.#heard = true;
        const full = n === buffer.length - have;
        have += n;
        if (this.#session !== null) this.#session.acknowledged = true;
        this.#wrote = false;
        let at = 0;
        while (at < have) {
          if (dataLeft > 0) {
            const length = Math.min(dataLeft, have - at);
            await this.#deliver(buffer.subarray(at, at + length));
            at += length;
            dataLeft -= length;
            continue;
          }
          if (have - at < FRAME_HEADER_BYTES) break;
          const type = buffer[at]!;
          const length = (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
          if (type === FrameType.DATA) {
            this.#checkData(length);
            dataLeft = length;
            at += FRAME_HEADER_BYTES;
            continue;
          }
          if (length > MAX_SIGNAL_BYTES) throw tooLong(type, length);
          const next = at + FRAME_HEADER_BYTES + length;
          if (next > have) break;
          await this.#hear(type, buffer.subarray(at + FRAME_HEADER_BYTES, next));
          at = next;
        }
        if (this.#options.acknowledge && n < SMALL_READ_BYTES && !this.#wrote && this.#state === "busy") {
          this.signal(ACKNOWLEDGEMENT);
        }
        if (at > 0 && at < have) buffer.copyWithin(0, at, have);
        have -= at;
        if (full && buffer.length < max) {
          const larger = new Uint8Array(Math.min(max, buffer.length * 4));
          larger.set(buffer.subarray(0, have));
          buffer = larger;
        } else if (have === 0 && buffer.length > START_BUFFER_BYTES && this.#state === "ready") {
          buffer = new Uint8Array(START_BUFFER_BYTES);
        }
      }
    } catch (error) {
      this.#reading = false;
      this.fail(error);
    }
  }

  #checkData(length: number): void {
    if (length > MAX_FRAME_BYTES) throw tooLong(FrameType.DATA, length);
    const session = this.#session;
    if (session === null || session.remoteEnded) throw new NodePassError("protocol", "Peer sent DATA outside a session");
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
      throw new NodePassError("protocol", `Peer sent OPEN ${sequence} on a ${this.#state} link that expects ${expected}`);
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

  #judgeSilence(now: number, session: FrameSession | null): void {
    const opening = this.end === "ingress" && session !== null && !session.acknowledged;
    const since = opening ? Math.max(this.#heardAt, session.openedAt) : this.#heardAt;
    const silent = now - since;
    if (silent >= (opening ? OPEN_DEADLINE_MS : IDLE_DEADLINE_MS)) {
      this.fail(new NodePassError("timed_out", `Link was silent for ${Math.round(silent)} ms`));
    } else if (!this.#pinged && silent >= (opening ? OPEN_PING_MS : IDLE_PING_MS)) {
      this.#pinged = true;
      this.signal(encodePing(0));
    }
  }

  #move(to: LinkState): void {
    this.#state = to;
  }

  async #write(buffer: Uint8Array, start: number, end: number): Promise<void> {
    let at = start;
    do {
      at += await this.conn.write(at === 0 && end === buffer.length ? buffer : buffer.subarray(at, end));
    } while (at < end);
  }

  async #writeSignals(): Promise<void> {
    for (const frame of this.#signals.splice(0)) await this.#write(frame, 0, frame.length);
  }
}

function tooLong(type: number, length: number): NodePassError {
  return new NodePassError(
    "protocol",
    `Frame of type ${type} announces ${length} bytes, the limit is ${MAX_FRAME_BYTES}`,
  );
}
