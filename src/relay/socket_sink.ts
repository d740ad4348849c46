/**
 * A socket as the receiving end of a copy.
 *
 * @module
 */
import type { Conn } from "../runtime/types.ts";
import type { Sink } from "./sink.ts";

/** Passes bytes on as they are; its end is the socket's half-close. */
export class SocketSink implements Sink {
  readonly headroom = 0;
  readonly headerBytes = 0;
  readonly #conn: Pick<Conn, "write" | "closeWrite">;
  #withheld = false;

  constructor(conn: Pick<Conn, "write" | "closeWrite">) {
    this.#conn = conn;
  }

  write(buffer: Uint8Array, start: number, end: number): Promise<number> {
    return this.#conn.write(start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end));
  }

  end(): Promise<void> {
    return this.#withheld ? Promise.resolve() : this.#conn.closeWrite();
  }

  /** Makes `end` do nothing: the owner closes the socket at once, or resets it because data was cut. */
  withholdEnd(): void {
    this.#withheld = true;
  }
}
