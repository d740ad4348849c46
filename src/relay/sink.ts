/**
 * Where a copy loop writes to: a socket, or a link that puts a frame header in front of the bytes.
 *
 * @module
 */

/** The receiving end of a copy. */
export interface Sink {
  /** Bytes that `write` may overwrite right before `start`: room for a header, so that header and payload leave in one write. */
  readonly headroom: number;
  /** How many of them `write` puts in front of each chunk. */
  readonly headerBytes: number;
  /** Writes a prefix of `buffer[start, end)` and says how many of these bytes went: callers loop. */
  write(buffer: Uint8Array, start: number, end: number): Promise<number>;
  /** Ends this direction cleanly; the other one goes on. */
  end(): Promise<void>;
}
