/**
 * What the runtime suites share: owning and closing, reading and writing whole things.
 *
 * @module
 */
import type { Conn, Listener } from "../../src/runtime/types.ts";

/** Time limit of connects that are expected to work. */
export const timeoutMs = 10_000;

/** Registers something to be closed at the end of a test. */
export type Own = <T extends { close(): void | Promise<void> }>(thing: T) => T;

/** Runs `body` and closes what it owns, the last first. */
export async function owning(body: (own: Own) => Promise<void>): Promise<void> {
  const things: { close(): void | Promise<void> }[] = [];
  try {
    await body((thing) => {
      things.push(thing);
      return thing;
    });
  } finally {
    for (const thing of things.reverse()) await thing.close();
    await turn();
    await turn();
  }
}

/** One turn of the event loop: Node closes descriptors at its end. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Accepts, and fails when the listener was closed. */
export async function accepted<C extends Conn>(listener: Listener<C>): Promise<C> {
  const conn = await listener.accept();
  if (conn === null) throw new Error("the listener was closed");
  return conn;
}

/** Writes everything. */
export async function writeAll(conn: Conn, bytes: Uint8Array): Promise<void> {
  for (let start = 0; start < bytes.length;) start += await conn.write(bytes.subarray(start));
}

/** Reads `length` bytes; fewer at the end of the stream. */
export async function readExactly(conn: Conn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = await conn.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

/** Reads to the end: the number of bytes and a checksum over them. */
export async function drain(conn: Conn): Promise<{ length: number; sum: number }> {
  const buffer = new Uint8Array(64 * 1024);
  let length = 0;
  let sum = 0;
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    sum = checksum(buffer.subarray(0, count), sum);
    length += count;
  }
  return { length, sum };
}

/** A checksum that sees order. */
export function checksum(bytes: Uint8Array, seed = 0): number {
  let sum = seed;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
  return sum;
}

/** Bytes that do not repeat with any power of two. */
export function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 7 + (index >> 8) + (index >> 16)) & 0xff;
  return bytes;
}

/** Text to bytes. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Matches a NodePassError of this code whose message fits. */
export function failure(code: string, message: RegExp = /./): (error: unknown) => boolean {
  return (error) => {
    const found = error as { code?: unknown; message?: unknown };
    if (found.code === code && message.test(String(found.message))) return true;
    throw new Error(`expected ${code} ${message}, got ${String(found.code)}: ${String(found.message)}`);
  };
}
