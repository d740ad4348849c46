/**
 * The latest events, for readers that come back.
 *
 * @module
 */
import { byteLength } from "./frames.ts";

const EVENTS = 1_000;
const BYTES = 8 * 1024 * 1024;

/** Frames by number: 1, 2, 3 and so on, the oldest ones forgotten. */
export class Replay {
  readonly #run: number;
  readonly #frames: { readonly frame: string; readonly bytes: number }[] = [];
  #bytes = 0;
  #last = 0;

  /** @param run number of the master's run: ids of another run mean nothing here */
  constructor(run: number) {
    this.#run = run;
  }

  /** Number of the latest event; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** What an id looks like on the wire. */
  id(n: number): string {
    return `${this.#run}-${n}`;
  }

  /** Keeps the frame that `make` builds around its id. */
  push(make: (id: string) => string): { readonly n: number; readonly frame: string } {
    const n = ++this.#last;
    const frame = make(this.id(n));
    const bytes = byteLength(frame);
    this.#frames.push({ frame, bytes });
    this.#bytes += bytes;
    while (this.#frames.length > EVENTS || this.#bytes > BYTES) this.#bytes -= this.#frames.shift()!.bytes;
    return { n, frame };
  }

  /** The frame with this number; null once it is forgotten. */
  get(n: number): string | null {
    return this.#frames[n - (this.#last - this.#frames.length) - 1]?.frame ?? null;
  }

  /** The number that an id stands for, when everything after it is still here; else null. */
  resume(id: string): number | null {
    const match = /^(\d{1,15})-(\d{1,15})$/.exec(id);
    if (match === null || Number(match[1]) !== this.#run) return null;
    const n = Number(match[2]);
    return n <= this.#last && n >= this.#last - this.#frames.length ? n : null;
  }
}
