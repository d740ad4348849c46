/**
 * The text of an event stream to its frames.
 *
 * @module
 */

/** One frame of a stream. */
export interface Frame {
  /** "message" when the frame names none. */
  readonly event: string;
  readonly data: string;
  /** Null when the frame has none. */
  readonly id: string | null;
}

/** Takes a stream in pieces, wherever they were cut. */
export class FrameParser {
  #rest = "";
  #event = "";
  #data: string[] = [];
  #id: string | null = null;

  /** The frames that are complete with this piece. */
  push(text: string): Frame[] {
    const frames: Frame[] = [];
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const frame = this.#take(line.endsWith("\r") ? line.slice(0, -1) : line);
      if (frame !== null) frames.push(frame);
    }
    return frames;
  }

  #take(line: string): Frame | null {
    if (line === "") return this.#finish();
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id") this.#id = value;
    return null;
  }

  #finish(): Frame | null {
    const frame = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id };
    const empty = this.#data.length === 0;
    this.#event = "";
    this.#data = [];
    this.#id = null;
    return empty ? null : frame;
  }
}
