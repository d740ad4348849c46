/**
 * Reads and writes of exact sizes: nothing of what follows is consumed.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Conn } from "../../runtime/types.ts";

/** Fills `into`; fewer bytes come back only when the stream ended before. */
export async function readUpTo(conn: Pick<Conn, "read">, into: Uint8Array): Promise<number> {
  let filled = 0;
  while (filled < into.length) {
    const count = await conn.read(filled === 0 ? into : into.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return filled;
}

/**
 * Fills `into`.
 *
 * @throws {NodePassError} `closed` when the stream ends before
 */
export async function readExact(conn: Pick<Conn, "read">, into: Uint8Array): Promise<void> {
  const filled = await readUpTo(conn, into);
  if (filled < into.length) {
    throw new NodePassError("closed", `Connection ended after ${filled} of ${into.length} expected bytes`);
  }
}

/** Writes all of `bytes`, in one call unless the system takes less. */
export async function writeExact(conn: Pick<Conn, "write">, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += await conn.write(written === 0 ? bytes : bytes.subarray(written));
  }
}
