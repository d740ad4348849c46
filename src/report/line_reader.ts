/**
 * A stream of bytes cut into lines.
 *
 * @module
 */
import { joinBytes } from "../bytes/join.ts";
import { NodePassError } from "../errors.ts";

/** A line longer than this ends the stream. */
export const LONGEST_LINE = 1_048_576;

const NEWLINE = 10;

/** Gives each line, without its newline, to one function. What follows the last newline is not a line. */
export class LineReader {
  readonly #onLine: (line: string) => void;
  readonly #longest: number;
  readonly #decoder = new TextDecoder();
  #parts: Uint8Array[] = [];
  #held = 0;

  /** @param longest bytes of the longest line */
  constructor(onLine: (line: string) => void, longest: number = LONGEST_LINE) {
    this.#onLine = onLine;
    this.#longest = longest;
  }

  /**
   * Takes the next bytes; they are the caller's again afterwards.
   *
   * @throws {NodePassError} code `protocol` at a line that is too long
   */
  push(bytes: Uint8Array): void {
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      this.#hold(bytes.subarray(from, end));
      from = end + 1;
      this.#onLine(this.#take());
    }
    // The rest stays for longer than the caller's bytes do.
    if (from < bytes.length) this.#hold(bytes.slice(from));
  }

  #hold(part: Uint8Array): void {
    this.#held += part.length;
    if (this.#held > this.#longest) {
      throw new NodePassError("protocol", `Cannot read a line of more than ${this.#longest} bytes`);
    }
    this.#parts.push(part);
  }

  #take(): string {
    const [first] = this.#parts;
    const whole = this.#parts.length === 1 && first !== undefined ? first : joinBytes(this.#parts, this.#held);
    this.#parts = [];
    this.#held = 0;
    return this.#decoder.decode(whole);
  }
}
