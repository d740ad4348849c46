/**
 * What the demonstration writes: lines, and one line that changes in place on a terminal.
 *
 * @module
 */

/** Without a terminal a changing line is written again only after this much progress. */
const STEP_PERCENT = 20;
const REDRAW_MS = 100;
const BAR_WIDTH = 24;

/** Writes to standard output. */
export class Screen {
  readonly #terminal: boolean;
  #changing = false;
  #drawnAt = 0;

  /** @param terminal whether lines may change in place */
  constructor(terminal: boolean = Deno.stdout.isTerminal()) {
    this.#terminal = terminal;
  }

  /** One line, or several. */
  line(text = ""): void {
    this.#write(`${this.#changing ? "\n" : ""}${text}\n`);
    this.#changing = false;
  }

  /** A line that takes the place of the one before it, where that can be done. */
  change(text: string): void {
    if (!this.#terminal) return this.line(text);
    this.#write(`\r\x1b[2K${text}`);
    this.#changing = true;
  }

  /** Shows how far a transfer is; call it as often as you like. */
  progress(): (done: number, total: number) => void {
    const started = performance.now();
    let shown = 0;
    return (done, total) => {
      const percent = Math.floor((done / total) * 100);
      const now = performance.now();
      const due = this.#terminal ? now - this.#drawnAt >= REDRAW_MS : percent >= shown + STEP_PERCENT;
      if (!due && done < total || percent === shown) return;
      shown = percent;
      this.#drawnAt = now;
      const rate = done / Math.max(1, now - started) / 1000;
      const filled = Math.round((done / total) * BAR_WIDTH);
      const bar = this.#terminal ? `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}] ` : "";
      this.change(
        `   ${bar}${String(percent).padStart(3)} %  ${megabytes(done)} of ${megabytes(total)}  ${rate.toFixed(0)} MB/s`,
      );
    };
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    try {
      for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
    } catch {
      // Whoever read along is gone.
    }
  }
}

/** A number of bytes for people. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
