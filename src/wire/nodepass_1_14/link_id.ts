/**
 * The name of a link: four bytes that the server writes first on each pool connection.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Clock, Conn, Random } from "../../runtime/types.ts";
import { readUpTo } from "../secure/exact_io.ts";
import { toHex } from "../../bytes/hex.ts";
import { withinTime } from "./time_limit.ts";

/** The first connection after a handshake. */
export const CONTROL_ID = "00000000";
/** Bytes of an id on the wire. */
export const LINK_ID_BYTES = 4;

/** Eight lower-case hex digits. */
export function formatId(bytes: Uint8Array): string {
  if (bytes.length !== LINK_ID_BYTES) throw new RangeError(`Cannot format a link id of ${bytes.length} bytes`);
  return toHex(bytes);
}

/** The bytes of an id in text; null when it is none. */
export function parseId(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[0-9a-f]{8}$/i.test(text)) return null;
  const bytes = new Uint8Array(LINK_ID_BYTES);
  for (let at = 0; at < LINK_ID_BYTES; at++) bytes[at] = parseInt(text.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/** An id that is not in use and does not name a control connection. */
export function newLinkId(random: Pick<Random, "bytes">, taken: { has(id: string): boolean }): string {
  for (;;) {
    const id = formatId(random.bytes(LINK_ID_BYTES));
    if (id !== CONTROL_ID && !taken.has(id)) return id;
  }
}

/**
 * Reads the id of a connection that was just opened, and nothing of what follows.
 *
 * The connection is closed on a time-out, else it is the caller's.
 *
 * @throws {NodePassError} `timed_out`; `closed` when the server hangs up; what the connection threw
 */
export async function readLinkId(conn: Conn, timeoutMs: number, clock: Pick<Clock, "after">): Promise<string> {
  const message = "Server sent no link id in time";
  const bytes = new Uint8Array(LINK_ID_BYTES);
  const filled = await withinTime({ conn, clock, timeoutMs, message }, () => readUpTo(conn, bytes));
  if (filled === LINK_ID_BYTES) return formatId(bytes);
  throw new NodePassError("closed", "Server hung up before it named the link: it has enough links or another client");
}
