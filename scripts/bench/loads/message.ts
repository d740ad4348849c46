/**
 * The 64-byte messages of the latency and idle-session loads.
 *
 * @module
 */

export const MESSAGE_BYTES = 64;
/** Length of the first of two writes. */
export const FIRST_PART_BYTES = 16;
/** First byte of a message that wants its answer in two writes. */
export const SPLIT_ANSWER = 0x50;
/** First byte of a message that wants its answer in one write. */
export const WHOLE_ANSWER = 0x45;

/** Fills `into`; false when the stream ended. */
export async function readMessage(conn: Deno.TcpConn, into: Uint8Array): Promise<boolean> {
  for (let filled = 0; filled < into.length;) {
    const count = await conn.read(filled === 0 ? into : into.subarray(filled));
    if (count === null) return false;
    filled += count;
  }
  return true;
}

/** Writes all of `bytes`. */
export async function writeAll(conn: Pick<Deno.Conn, "write">, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(sent === 0 ? bytes : bytes.subarray(sent));
}
