/**
 * A link that many UDP sessions share: each datagram is one frame, so boundaries stay exact.
 *
 * @module
 */
import { messageOf, NodePassError } from "../../errors.ts";
import type { Conn } from "../../runtime/types.ts";
import type { DatagramReceiver, Opening, WireDatagrams } from "../types.ts";
import { frameEnd } from "./frame_end.ts";
import {
  encodeClose,
  encodeOpen,
  encodePing,
  encodePong,
  FRAME_HEADER_BYTES,
  FrameType,
  parseOpen,
  parseToken,
  writeFrameHeader,
} from "./frames.ts";
import { ReadBuffer } from "./read_buffer.ts";

/** What a datagram link tells its owner. */
export interface DatagramLinkEvents {
  /** Egress: a visitor was announced. Null refuses the session. */
  opened(session: WireDatagrams): DatagramReceiver | null;
  /** A datagram was dropped because the link could not keep up. */
  dropped(): void;
  closed(link: DatagramLink, error: NodePassError): void;
}

/** Options of {@linkcode DatagramLink}. */
export interface DatagramLinkOptions {
  readonly conn: Conn;
  readonly end: "ingress" | "egress";
  readonly counter: number;
  readonly now: () => number;
  /** See `Clock`. */
  readonly soon: (run: () => void) => void;
  readonly events: DatagramLinkEvents;
}

const START_BUFFER_BYTES = 16 * 1024;
/** Holds the largest frame, and a batch of small ones. */
const MAX_BUFFER_BYTES = 256 * 1024;
/** A batch of this size is written at once, a smaller one when no more datagrams are there to be taken. */
const FULL_BATCH_BYTES = 64 * 1024;
/** Datagrams that wait for the write in flight; beyond it they are dropped. */
const BATCH_BYTES = 512 * 1024;
/** Room behind a full batch for what may not be dropped. */
const SIGNAL_BYTES = 32 * 1024;
const MAX_OPEN_BYTES = 28;
const SESSION_NUMBERS = 65_536;
/** A number rests this long before it names another session. */
const NUMBER_REST_MS = 60_000;
/** The session number in front of a datagram. */
const SESSION_BYTES = 2;
const MAX_PAYLOAD_BYTES = SESSION_BYTES + 65_535;
const IDLE_PING_MS = 10_000;
const IDLE_DEADLINE_MS = 15_000;

interface Entry {
  readonly receiver: DatagramReceiver;
}

/** See the module. */
export class DatagramLink {
  readonly conn: Conn;
  readonly counter: number;
  readonly end: "ingress" | "egress";
  readonly #options: DatagramLinkOptions;
  readonly #sessions = new Map<number, Entry>();
  /** Numbers in the order of their retirement, with the time of it. */
  readonly #resting: { readonly number: number; readonly at: number }[] = [];
  readonly #used = new Set<number>();
  #nextNumber = 0;
  #batch = new Uint8Array(0);
  #spare = new Uint8Array(0);
  #filled = 0;
  #flushing = false;
  #scheduled = false;
  #closed = false;
  #heard = true;
  #heardAt: number;
  #pinged = false;

  constructor(options: DatagramLinkOptions) {
    this.#options = options;
    this.conn = options.conn;
    this.counter = options.counter;
    this.end = options.end;
    this.#heardAt = options.now();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sessions on the link. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Ingress: announces a visitor. Null when the link is closed or full, or every number is taken or resting. */
  open(opening: Opening, receiver: DatagramReceiver): WireDatagrams | null {
    // Its datagrams would be dropped anyway, and sessions that live keep the room for their signals.
    const number = this.#closed || this.#filled >= BATCH_BYTES - MAX_OPEN_BYTES ? null : this.#takeNumber();
    if (number === null) return null;
    this.#sessions.set(number, { receiver });
    this.#append(encodeOpen(number, opening));
    return this.#session(number, opening);
  }

  /** Closes the link and every session on it. */
  close(): void {
    this.fail(new NodePassError("closed", "Link was closed"));
  }

  /** Ends the link because of an error. Idempotent. */
  fail(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.conn.close();
    const entries = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const { receiver } of entries) receiver.closed();
    const reason = error instanceof NodePassError ? error : new NodePassError("io", messageOf(error), { cause: error });
    this.#options.events.closed(this, reason);
  }

  /** Coarse timers, about once a second. */
  tick(now: number): void {
    if (this.#closed) return;
    if (this.#heard) {
      this.#heard = false;
      this.#heardAt = now;
      this.#pinged = false;
    }
    const silent = now - this.#heardAt;
    if (silent >= IDLE_DEADLINE_MS) {
      this.fail(new NodePassError("timed_out", `Link was silent for ${Math.round(silent)} ms`));
    } else if (silent >= IDLE_PING_MS && !this.#pinged) {
      this.#pinged = true;
      this.#append(encodePing(0));
    }
    // The buffers of a burst are not kept through a quiet time.
    if (silent >= IDLE_PING_MS && !this.#flushing && this.#filled === 0) {
      this.#batch = this.#spare = new Uint8Array(0);
    }
  }

  /** Reads until the link ends. Never rejects. */
  async run(): Promise<void> {
    const buffer = new ReadBuffer(START_BUFFER_BYTES, MAX_BUFFER_BYTES);
    const pending: Promise<void>[] = [];
    try {
      for (;;) {
        const n = await this.conn.read(buffer.room());
        if (n === null) throw new NodePassError("connection_reset", "Link was closed by the other end");
        this.#heard = true;
        buffer.added(n);
        const { bytes, have } = buffer;
        let at = 0;
        for (let end = 0; (end = frameEnd(bytes, at, have, MAX_PAYLOAD_BYTES)) > 0; at = end) {
          const from = at + FRAME_HEADER_BYTES;
          if (bytes[at] !== FrameType.DGRAM) {
            this.#hear(bytes[at]!, bytes.subarray(from, end));
            continue;
          }
          if (end - from < SESSION_BYTES) throw withoutNumber();
          // A datagram that crossed a CLOSE has no owner.
          const entry = this.#sessions.get((bytes[from]! << 8) | bytes[from + 1]!);
          const sent = entry?.receiver.data(bytes.subarray(from + SESSION_BYTES, end));
          if (sent !== undefined) pending.push(sent);
        }
        // The payloads lie in the read buffer: they must be gone before it is filled again.
        if (pending.length > 0) await Promise.all(pending.splice(0));
        buffer.taken(at, this.#sessions.size === 0);
      }
    } catch (error) {
      this.fail(error);
    }
  }

  #hear(type: number, payload: Uint8Array): void {
    switch (type) {
      case FrameType.OPEN:
        return this.#hearOpen(payload);
      case FrameType.CLOSE: {
        const number = sessionNumber(payload);
        const entry = this.#sessions.get(number);
        this.#forget(number);
        entry?.receiver.closed();
        return;
      }
      case FrameType.PING:
        return this.#append(encodePong(parseToken(payload)));
      case FrameType.PONG:
        return;
      default:
        if (type < 0x80) throw new NodePassError("protocol", `Peer sent frame type ${type} on a link for datagrams`);
    }
  }

  #hearOpen(payload: Uint8Array): void {
    const { sequence: number, opening } = parseOpen(payload);
    if (
      this.end !== "egress" || number >= SESSION_NUMBERS || opening.protocol !== "udp" || this.#sessions.has(number)
    ) {
      throw new NodePassError("protocol", `Peer sent OPEN ${number}, which is not possible on this link`);
    }
    const receiver = this.#options.events.opened(this.#session(number, opening));
    if (receiver === null) this.#append(encodeClose(number));
    else this.#sessions.set(number, { receiver });
  }

  #session(number: number, opening: Opening): WireDatagrams {
    let open = true;
    return {
      opening,
      send: (bytes) => {
        if (open && this.#sessions.has(number)) this.#appendDatagram(number, bytes);
      },
      close: () => {
        if (!open) return;
        open = false;
        if (!this.#sessions.has(number)) return;
        this.#forget(number);
        this.#append(encodeClose(number));
      },
    };
  }

  #forget(number: number): void {
    if (!this.#sessions.delete(number) || this.end === "egress") return;
    this.#resting.push({ number, at: this.#options.now() });
  }

  #takeNumber(): number | null {
    const now = this.#options.now();
    while (this.#resting.length > 0 && now - this.#resting[0]!.at >= NUMBER_REST_MS) {
      this.#used.delete(this.#resting.shift()!.number);
    }
    if (this.#used.size >= SESSION_NUMBERS) return null;
    while (this.#used.has(this.#nextNumber)) this.#nextNumber = (this.#nextNumber + 1) % SESSION_NUMBERS;
    this.#used.add(this.#nextNumber);
    return this.#nextNumber;
  }

  #appendDatagram(number: number, bytes: Uint8Array): void {
    const length = 2 + bytes.length;
    const at = this.#reserve(FRAME_HEADER_BYTES + length, BATCH_BYTES);
    if (at < 0) {
      this.#options.events.dropped();
      return;
    }
    const batch = this.#batch;
    writeFrameHeader(batch, at, FrameType.DGRAM, length);
    batch[at + FRAME_HEADER_BYTES] = number >> 8;
    batch[at + FRAME_HEADER_BYTES + 1] = number & 0xff;
    batch.set(bytes, at + FRAME_HEADER_BYTES + 2);
    this.#flush();
  }

  #append(frame: Uint8Array): void {
    if (this.#closed) return;
    const at = this.#reserve(frame.length, BATCH_BYTES + SIGNAL_BYTES);
    // Without its signals a link is of no use: sessions would be lost silently.
    if (at < 0) return this.fail(new NodePassError("timed_out", "Link does not take signals any more"));
    this.#batch.set(frame, at);
    this.#flush();
  }

  /** Room for `length` bytes at the end of the batch; -1 when it is filled up to `limit`. */
  #reserve(length: number, limit: number): number {
    if (this.#closed || this.#filled + length > limit) return -1;
    if (this.#batch.length === 0) this.#batch = new Uint8Array(BATCH_BYTES + SIGNAL_BYTES);
    const at = this.#filled;
    this.#filled += length;
    return at;
  }

  #flush(): void {
    if (this.#flushing) return;
    if (this.#filled >= FULL_BATCH_BYTES) {
      void this.#writeBatches();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#options.soon(this.#flushSoon);
    }
  }

  readonly #flushSoon = (): void => {
    this.#scheduled = false;
    if (!this.#flushing && this.#filled > 0) void this.#writeBatches();
  };

  async #writeBatches(): Promise<void> {
    this.#flushing = true;
    try {
      do {
        const batch = this.#batch;
        const end = this.#filled;
        this.#batch = this.#spare;
        this.#spare = batch;
        this.#filled = 0;
        let at = 0;
        while (at < end && !this.#closed) at += await this.conn.write(batch.subarray(at, end));
      } while (this.#filled >= FULL_BATCH_BYTES && !this.#closed);
    } catch (error) {
      this.fail(error);
    }
    this.#flushing = false;
    if (this.#filled > 0) this.#flush();
  }
}

function sessionNumber(payload: Uint8Array): number {
  if (payload.length < SESSION_BYTES) throw withoutNumber();
  return (payload[0]! << 8) | payload[1]!;
}

function withoutNumber(): NodePassError {
  return new NodePassError("protocol", "Peer sent a datagram frame without a session number");
}
