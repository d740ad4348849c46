/**
 * One TCP visitor on a link: its bytes and nothing else, in both directions.
 *
 * @module
 */
import type { AbortReason, IncomingSession, Opening, OutgoingSession, SessionReceiver } from "../types.ts";
import type { RawLink } from "./raw_link.ts";

const GROWTH = 4;

/** See the module. */
export class RawSession implements OutgoingSession, IncomingSession {
  readonly headroom = 0;
  readonly headerBytes = 0;
  readonly opening: Opening;
  readonly finished: Promise<AbortReason | null>;
  readonly #link: RawLink;
  #receiver: SessionReceiver | null = null;
  #aborted: AbortReason | null = null;
  #ending: Promise<void> | null = null;
  #localEnded = false;
  #remoteEnded = false;
  #isFinished = false;
  #finish!: (reason: AbortReason | null) => void;

  constructor(link: RawLink, opening: Opening) {
    this.#link = link;
    this.opening = opening;
    this.finished = new Promise((resolve) => this.#finish = resolve);
  }

  attach(receiver: SessionReceiver): void {
    this.#receiver = receiver;
    if (this.#aborted !== null) receiver.abort(this.#aborted);
    else void this.#receive(receiver);
  }

  /** The link said it when the visitor was put on it. */
  announce(): void {}

  write(buffer: Uint8Array, start: number, end: number): Promise<number> {
    return this.#link.conn.write(start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end));
  }

  end(): Promise<void> {
    return this.#ending ??= this.#end();
  }

  abort(reason: AbortReason): void {
    if (this.#isFinished) return;
    this.#aborted = reason;
    this.#link.conn.reset();
    this.#receiver?.abort(reason);
    this.#settle();
  }

  async #end(): Promise<void> {
    try {
      await this.#link.conn.closeWrite();
    } catch (error) {
      // A peer that closes instead of half-closing has taken all it wanted.
      if (!this.#remoteEnded) throw error;
    }
    this.#localEnded = true;
    if (this.#remoteEnded) this.#settle();
  }

  async #receive(receiver: SessionReceiver): Promise<void> {
    const { conn, first, maxBufferBytes } = this.#link;
    let { buffer } = first;
    try {
      let count = await first.count;
      while (count !== null) {
        await receiver.data(count === buffer.length ? buffer : buffer.subarray(0, count));
        if (count === buffer.length && count < maxBufferBytes) {
          buffer = new Uint8Array(Math.min(count * GROWTH, maxBufferBytes));
        }
        count = await conn.read(buffer);
      }
      this.#remoteEnded = true;
      await receiver.end();
    } catch {
      return this.abort("reset");
    }
    if (this.#localEnded) this.#settle();
  }

  #settle(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#finish(this.#aborted);
    this.#link.done();
  }
}
