/**
 * The last log lines of every instance, in memory.
 *
 * @module
 */

/** Lines kept of one instance. */
const LINES = 500;

/** UTF-16 units kept of one instance: what 500 ordinary lines need several times over. */
const KEPT_UNITS = 512 * 1024;

/** Longest line that is kept or sent, in bytes of UTF-8. */
export const LINE_BYTES: number = 16 * 1024;

const ELLIPSIS = "…";
const ELLIPSIS_BYTES = 3;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const scratch = new Uint8Array(LINE_BYTES);

/**
 * The start of a text that fits into so many bytes of UTF-8, marked when something was cut.
 *
 * @param limit at most 16 KiB
 */
export function cutText(text: string, limit: number = LINE_BYTES): string {
  // A UTF-16 unit takes at most three bytes.
  if (text.length * 3 <= limit) return text;
  if (encoder.encodeInto(text, scratch.subarray(0, limit)).read === text.length) return text;
  if (limit < ELLIPSIS_BYTES) return "";
  const { written } = encoder.encodeInto(text, scratch.subarray(0, limit - ELLIPSIS_BYTES));
  // Not a slice: that would hold on to the whole text.
  return decoder.decode(scratch.subarray(0, written)) + ELLIPSIS;
}

interface Kept {
  readonly lines: string[];
  units: number;
}

/** See the module. */
export class InstanceLogs {
  readonly #kept = new Map<string, Kept>();

  /** Keeps a line; comes back as it is kept: without a line end, at most 16 KiB. */
  append(id: string, line: string): string {
    const text = cutText(line.replace(/[\r\n]+$/, ""));
    let kept = this.#kept.get(id);
    if (kept === undefined) this.#kept.set(id, kept = { lines: [], units: 0 });
    kept.lines.push(text);
    kept.units += text.length;
    while (kept.lines.length > LINES || kept.units > KEPT_UNITS) kept.units -= kept.lines.shift()!.length;
    return text;
  }

  /** The last lines of an instance, oldest first. */
  last(id: string, count: number = LINES): readonly string[] {
    return count <= 0 ? [] : this.#kept.get(id)?.lines.slice(-count) ?? [];
  }

  /** Forgets an instance. */
  remove(id: string): void {
    this.#kept.delete(id);
  }
}
