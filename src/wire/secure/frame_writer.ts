/**
 * The sending side of a link: one frame at a time, signals right behind the frame in flight.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Conn } from "../../runtime/types.ts";

const MAX_QUEUED_SIGNALS = 64;

/** Who owns the bytes of a frame; once it has ended, its bytes belong to nobody. */
export interface FrameOwner {
  readonly localEnded: boolean;
}

/** See the module. */
export class FrameWriter {
  /** A frame is under way. */
  busy = false;
  /** A frame was begun since whoever reads this reset it. */
  wrote = false;
  readonly #conn: Conn;
  readonly #onError: (error: unknown) => void;
  #signals: Uint8Array[] = [];
  #waiting: (() => void)[] = [];
  #closed = false;

  /** @param onError called once when the connection breaks */
  constructor(conn: Conn, onError: (error: unknown) => void) {
    this.#conn = conn;
    this.#onError = onError;
  }

  /**
   * Sends the whole frame that lies in `buffer[start, end)`, in one write where the kernel takes it.
   *
   * @throws {NodePassError} `closed` when the link or the owner ended before the frame was begun
   */
  async send(buffer: Uint8Array, start: number, end: number, owner: FrameOwner | null): Promise<void> {
    while (this.busy) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#closed || owner?.localEnded === true) {
      this.#waiting.shift()?.();
      throw new NodePassError("closed", "Cannot write to a session that has ended");
    }
    this.busy = true;
    this.wrote = true;
    try {
      await this.#write(buffer, start, end);
      while (this.#signals.length > 0) {
        for (const frame of this.#signals.splice(0)) await this.#write(frame, 0, frame.length);
      }
    } catch (error) {
      this.#onError(error);
      throw error;
    } finally {
      this.busy = false;
      this.#waiting.shift()?.();
    }
  }

  /** Sends a small frame as soon as the one in flight is through. Never waits, never throws. */
  signal(frame: Uint8Array): void {
    if (this.#closed) return;
    if (!this.busy) {
      this.send(frame, 0, frame.length, null).catch(() => {});
    } else if (this.#signals.length < MAX_QUEUED_SIGNALS) {
      this.#signals.push(frame);
    } else {
      this.#onError(new NodePassError("protocol", `Link has ${MAX_QUEUED_SIGNALS} signals waiting behind one frame`));
    }
  }

  /** Lets go of everybody who waits. */
  close(): void {
    this.#closed = true;
    this.#signals = [];
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #write(buffer: Uint8Array, start: number, end: number): Promise<void> {
    let at = start;
    do {
      at += await this.#conn.write(at === 0 && end === buffer.length ? buffer : buffer.subarray(at, end));
    } while (at < end);
  }
}
