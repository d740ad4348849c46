/**
 * Reads one small HTTP/1.1 message from a connection, within a limit.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Conn } from "../../runtime/types.ts";

/** What stands in front of a body. */
export interface MessageHead {
  /** The request line or the status line. */
  readonly start: string;
  /** By lower-case name; of several with one name the first. */
  readonly headers: ReadonlyMap<string, string>;
}

/** The message ended, or was cut, before it was whole. */
export class MessageEnd extends Error {
  /** Nothing at all had arrived. */
  readonly empty: boolean;

  constructor(empty: boolean) {
    super("The message ended too early");
    this.empty = empty;
  }
}

const NEWLINE = 10;

/** See the module. */
export class MessageReader {
  readonly #conn: Pick<Conn, "read">;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #check: (start: Uint8Array) => void;
  #filled = 0;
  #at = 0;

  /**
   * @param limit bytes of the whole message, framing included
   * @param check sees all that arrived after each read; what it throws ends the reading
   */
  constructor(conn: Pick<Conn, "read">, limit: number, check: (start: Uint8Array) => void) {
    this.#conn = conn;
    this.#bytes = new Uint8Array(limit);
    this.#check = check;
  }

  /**
   * Reads to the empty line.
   *
   * @throws {MessageEnd} when the stream ends before
   * @throws {NodePassError} `protocol` when it is no head or too long
   */
  async head(): Promise<MessageHead> {
    const start = await this.#line();
    const headers = new Map<string, string>();
    for (let line = await this.#line(); line !== ""; line = await this.#line()) {
      const colon = line.indexOf(":");
      const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
      if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) throw malformed("a header line is none");
      if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
    }
    return { start, headers };
  }

  /** Reads the body of an answer. Throws as `head` does. */
  async body({ headers }: MessageHead): Promise<string> {
    if (/(^|,)\s*chunked\s*$/i.test(headers.get("transfer-encoding") ?? "")) return await this.#chunks();
    const length = headers.get("content-length");
    if (length === undefined) return await this.#untilEnd();
    if (!/^\d{1,9}$/.test(length)) throw malformed("its length is no number");
    return await this.#take(Number(length));
  }

  async #chunks(): Promise<string> {
    let body = "";
    for (;;) {
      const [, digits] = /^([0-9a-f]{1,8})\s*(?:;.*)?$/i.exec(await this.#line()) ?? [];
      if (digits === undefined) throw malformed("a chunk has no length");
      const length = parseInt(digits, 16);
      if (length === 0) break;
      body += await this.#take(length);
      if (await this.#line() !== "") throw malformed("a chunk is longer than it says");
    }
    while (await this.#line() !== "");
    return body;
  }

  async #untilEnd(): Promise<string> {
    while (await this.#fill());
    return this.#text(this.#filled);
  }

  async #take(length: number): Promise<string> {
    if (length > this.#bytes.length - this.#at) throw tooLong(this.#bytes.length);
    while (this.#filled - this.#at < length) await this.#more();
    return this.#text(this.#at + length);
  }

  async #line(): Promise<string> {
    let searched = this.#at;
    let end: number;
    while ((end = this.#bytes.subarray(0, this.#filled).indexOf(NEWLINE, searched)) < 0) {
      searched = this.#filled;
      await this.#more();
    }
    const line = this.#text(end);
    this.#at++;
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  }

  async #more(): Promise<void> {
    if (!await this.#fill()) throw new MessageEnd(this.#filled === 0);
  }

  /** False at the end of the stream. */
  async #fill(): Promise<boolean> {
    if (this.#filled === this.#bytes.length) throw tooLong(this.#bytes.length);
    const count = await this.#conn.read(this.#bytes.subarray(this.#filled));
    if (count === null) return false;
    this.#filled += count;
    this.#check(this.#bytes.subarray(0, this.#filled));
    return true;
  }

  /** What lies between the current place and `end`, one character a byte: everything that counts is ASCII. */
  #text(end: number): string {
    const text = String.fromCharCode(...this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return text;
  }
}

function malformed(reason: string): NodePassError {
  return new NodePassError("protocol", `Cannot read an HTTP message: ${reason}`);
}

function tooLong(limit: number): NodePassError {
  return new NodePassError("protocol", `Cannot read an HTTP message: it is longer than ${limit} bytes`);
}
