/**
 * Answers small frames of an end that cannot switch Nagle's delay off: until its last one is acknowledged, the next one
 * waits up to 40 ms there.
 *
 * Where each frame is followed by one of ours anyway, as a request is by its response, that one acknowledges it, and a
 * frame of our own would be a fifth of the system calls of a request. So after some of these the acknowledgement waits.
 *
 * @module
 */
import type { Timer } from "../../runtime/types.ts";
import { encodePong } from "./frames.ts";
import type { FrameWriter } from "./frame_writer.ts";

/** What acknowledges, and says nothing. */
export const ACKNOWLEDGEMENT: Uint8Array = encodePong(0);
/** Reads above this fill whole segments: nothing of them waits. */
const SMALL_READ_BYTES = 16 * 1024;
/** Frames in a row that were followed by one of ours, before an acknowledgement waits for that. */
const FOLLOWED_TO_WAIT = 8;
/** Each wrong guess costs 4 ms, and doubles the number up to this. */
const MOST_FOLLOWED_TO_WAIT = 8_192;
const LOOK_MS = 2;

/** One timer for all links that wait; it runs while one does. */
export class LateLooks {
  readonly #after: (ms: number, run: () => void) => Timer;
  #waiting: Acknowledger[] = [];
  #timer: Timer | null = null;

  constructor(after: (ms: number, run: () => void) => Timer) {
    this.#after = after;
  }

  /** `waiting.look()` is called every 2 ms until it returns false. */
  add(waiting: Acknowledger): void {
    this.#waiting.push(waiting);
    this.#timer ??= this.#after(LOOK_MS, this.#run);
  }

  close(): void {
    this.#timer?.cancel();
    this.#waiting = [];
  }

  readonly #run = (): void => {
    this.#waiting = this.#waiting.filter((waiting) => waiting.look());
    this.#timer = this.#waiting.length > 0 ? this.#after(LOOK_MS, this.#run) : null;
  };
}

/** See the module; one for each link. */
export class Acknowledger {
  readonly #writer: FrameWriter;
  readonly #late: LateLooks;
  #followed = 0;
  #followedToWait = FOLLOWED_TO_WAIT;
  /** Looks since the last small read. */
  #looks = 0;
  #waiting = false;

  constructor(writer: FrameWriter, late: LateLooks) {
    this.#writer = writer;
    this.#late = late;
  }

  /** Bytes arrived: `writer.wrote` still says whether something was sent since the last ones did. */
  heard(): void {
    this.#followed = this.#writer.wrote ? this.#followed + 1 : 0;
  }

  /** What a read of `bytes` brought is done with, and nothing was sent since. */
  answer(bytes: number): void {
    if (bytes >= SMALL_READ_BYTES) return;
    if (this.#followed < this.#followedToWait) return this.#acknowledge();
    this.#looks = 0;
    if (this.#waiting) return;
    this.#waiting = true;
    this.#late.add(this);
  }

  /** Acknowledges at the second look what nothing followed: the guess was wrong, so the next ones do not wait, for twice as long. */
  look(): boolean {
    if (!this.#writer.wrote && this.#looks++ === 0) return true;
    this.#waiting = false;
    if (this.#writer.wrote) return false;
    this.#followed = 0;
    this.#followedToWait = Math.min(2 * this.#followedToWait, MOST_FOLLOWED_TO_WAIT);
    this.#acknowledge();
    return false;
  }

  #acknowledge(): void {
    this.#writer.signal(ACKNOWLEDGEMENT);
    this.#writer.wrote = false;
  }
}
