/**
 * Writing a whole buffer to a connection that takes a part at a time.
 *
 * @module
 */
import type { Conn } from "../runtime/types.ts";

/** Writes all of `bytes`; rejects with what the connection threw. */
export async function writeAll(conn: Pick<Conn, "write">, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) done += await conn.write(done === 0 ? bytes : bytes.subarray(done));
}
