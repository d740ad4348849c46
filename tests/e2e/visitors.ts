/**
 * Single visitors that look at one thing.
 *
 * @module
 */
import { writeAll } from "../../src/relay/write_all.ts";
import type { Conn, SocketAddress } from "../../src/runtime/types.ts";
import { endedEmpty, runtime } from "../unit/tunnel/forward_fixture.ts";
import { within } from "./load.ts";

/** Text as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Connects, from a chosen address where one is given. */
export function visit(entry: SocketAddress, localHost?: string): Promise<Conn> {
  return runtime.net.connect({ ...entry, timeoutMs: 5_000, ...(localHost === undefined ? {} : { localHost }) });
}

/** What comes back first, as text; "" when the connection ended without a byte. */
export async function firstWords(conn: Conn, ms = 5_000): Promise<string> {
  const buffer = new Uint8Array(4_096);
  const count = await within(ms, "first words", conn.read(buffer).catch(() => null));
  return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
}

/** Asks and gives the first words of the answer. */
export async function ask(entry: SocketAddress, question: string, localHost?: string): Promise<string> {
  const conn = await visit(entry, localHost);
  try {
    await writeAll(conn, bytesOf(question));
    return await firstWords(conn);
  } finally {
    conn.close();
  }
}

/** True when a visitor that sends `opening` is closed without a byte, or not even let in. */
export async function turnedAway(entry: SocketAddress, opening: Uint8Array, localHost?: string): Promise<boolean> {
  let conn: Conn;
  try {
    conn = await visit(entry, localHost);
  } catch {
    return true;
  }
  try {
    await conn.write(opening).catch(() => {});
    return await within(3_000, "the door to close", endedEmpty(conn));
  } finally {
    conn.close();
  }
}
