/**
 * The latest figures of one node, in memory.
 *
 * @module
 */
import { FIGURES, type Figures, named } from "./figures.ts";

/** Ten minutes of one snapshot every two seconds. */
const MOST = 300;
const FIRST = 16;
/** A time and the figures. */
const WIDTH = FIGURES + 1;

/** A ring that grows to what it needs: most nodes of a large fleet report seldom. */
export class Recent {
  /** When the latest came. */
  lastAt: number = -Infinity;
  #rows = new Float64Array(FIRST * WIDTH);
  #start = 0;
  #length = 0;

  /** Adds one; `oldest` says from when on older ones count. */
  add(at: number, figures: ArrayLike<number>, oldest: number): void {
    while (this.#length > 0 && (this.#rows[this.#start * WIDTH] as number) < oldest) this.#drop();
    const room = this.#rows.length / WIDTH;
    if (this.#length === room) {
      if (room < MOST) this.#grow(Math.min(MOST, room * 2));
      else this.#drop();
    }
    const index = (this.#start + this.#length) % (this.#rows.length / WIDTH);
    this.#rows[index * WIDTH] = at;
    this.#rows.set(figures, index * WIDTH + 1);
    this.#length++;
    this.lastAt = at;
  }

  /** Those of a time, the oldest first. */
  between(from: number, to: number): { at: number; figures: Figures }[] {
    const found: { at: number; figures: Figures }[] = [];
    for (let step = 0; step < this.#length; step++) {
      const offset = ((this.#start + step) % (this.#rows.length / WIDTH)) * WIDTH;
      const at = this.#rows[offset] as number;
      if (at >= from && at < to) found.push({ at, figures: named(this.#rows.subarray(offset + 1, offset + WIDTH)) });
    }
    return found;
  }

  #drop(): void {
    this.#start = (this.#start + 1) % (this.#rows.length / WIDTH);
    this.#length--;
  }

  #grow(room: number): void {
    const rows = new Float64Array(room * WIDTH);
    const head = this.#rows.subarray(this.#start * WIDTH);
    rows.set(head);
    rows.set(this.#rows.subarray(0, this.#start * WIDTH), head.length);
    this.#rows = rows;
    this.#start = 0;
  }
}
