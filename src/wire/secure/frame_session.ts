/**
 * One visitor's session on a framed link: both directions, their ends, and nothing of the socket.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { AbortReason, Opening, SessionReceiver, WireSession } from "../types.ts";
import type { FrameLink } from "./frame_link.ts";
import { encodeOpen, FRAME_HEADER_BYTES, FrameType, MAX_FRAME_BYTES, writeFrameHeader } from "./frames.ts";

/** Room for an OPEN frame and a DATA header in front of the first bytes. */
const HEADROOM = 64;

/** A session and its place on a link. The link changes at most while nothing was sent (see `FrameLink.adopt`). */
export class FrameSession implements WireSession {
  readonly headroom: number = HEADROOM;
  readonly headerBytes: number = FRAME_HEADER_BYTES;
  readonly opening: Opening;
  readonly finished: Promise<AbortReason | null>;
  /** Any frame arrived since OPEN: the other end has it. */
  acknowledged = false;
  /** Milliseconds (clock) of the OPEN, for its deadline. */
  openedAt = 0;
  sequence = 0;
  /** Our FIN or ABORT was sent. */
  localEnded = false;
  /** The other end's FIN or ABORT arrived. */
  remoteEnded = false;
  aborted: AbortReason | null = null;
  #link: FrameLink | null = null;
  #receiver: SessionReceiver | null;
  #pendingOpen: Uint8Array | null = null;
  #carried = false;
  #adopted: (() => void) | null = null;
  #finish!: (reason: AbortReason | null) => void;
  #isFinished = false;

  /** @param receiver the local socket; null at the end that has yet to dial it (`attach`) */
  constructor(opening: Opening, receiver: SessionReceiver | null) {
    this.opening = opening;
    this.#receiver = receiver;
    this.finished = new Promise((resolve) => this.#finish = resolve);
  }

  /** Sets the local socket of an announced session. */
  attach(receiver: SessionReceiver): void {
    this.#receiver = receiver;
    if (this.aborted !== null) receiver.abort(this.aborted);
  }

  get receiver(): SessionReceiver | null {
    return this.#receiver;
  }

  get over(): boolean {
    return this.#isFinished;
  }

  /** True while the session may move to another link: the other end got none of the visitor's bytes. */
  get movable(): boolean {
    return !this.acknowledged && !this.#carried && !this.localEnded;
  }

  /** Puts the session on a link. `announce` says whether this end sends the OPEN. */
  place(link: FrameLink, sequence: number, announce: boolean): void {
    this.#link = link;
    this.sequence = sequence;
    this.acknowledged = false;
    this.#pendingOpen = announce ? encodeOpen(sequence, this.opening) : null;
    this.#adopted?.();
    this.#adopted = null;
  }

  /** Takes the session off its broken link; writes wait until it is placed again. */
  unplace(): void {
    this.#link = null;
  }

  /** Sends the OPEN alone when no byte of the visitor came along to carry it. */
  announce(): void {
    const open = this.#pendingOpen;
    if (open === null || this.#link === null) return;
    this.#pendingOpen = null;
    this.#link.signal(open);
  }

  async write(buffer: Uint8Array, start: number, end: number): Promise<number> {
    const link = await this.#place();
    const length = Math.min(end - start, MAX_FRAME_BYTES);
    let from = start - FRAME_HEADER_BYTES;
    writeFrameHeader(buffer, from, FrameType.DATA, length);
    const open = this.#pendingOpen;
    if (open !== null) {
      this.#pendingOpen = null;
      from -= open.length;
      buffer.set(open, from);
    }
    this.#carried = true;
    await link.send(buffer, from, start + length, this);
    return length;
  }

  async end(): Promise<void> {
    if (this.localEnded) return;
    const link = await this.#place();
    this.announce();
    this.localEnded = true;
    link.finish(this);
  }

  abort(reason: AbortReason): void {
    if (this.aborted !== null || this.#isFinished) return;
    this.aborted = reason;
    const link = this.#link;
    this.#receiver?.abort(reason);
    if (link === null || this.#pendingOpen !== null) {
      // The other end never heard of it, and never will: the link stays clean.
      this.#pendingOpen = null;
      this.#link = null;
      link?.withdraw(this);
      this.settle();
      return;
    }
    link.abort(this, reason);
  }

  /** The session is over at this end: called by the link, once both ends are known or the link is gone. */
  settle(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.localEnded = true;
    this.#adopted?.();
    this.#adopted = null;
    this.#finish(this.aborted);
  }

  /** Ends the session because of the other end or the link. */
  fail(reason: AbortReason): void {
    if (this.aborted === null) {
      this.aborted = reason;
      this.#receiver?.abort(reason);
    }
  }

  async #place(): Promise<FrameLink> {
    while (this.#link === null && !this.#isFinished) {
      await new Promise<void>((resolve) => this.#adopted = resolve);
    }
    if (this.#link === null || this.aborted !== null || this.localEnded) {
      throw new NodePassError("closed", "Cannot write to a session that has ended");
    }
    return this.#link;
  }
}
