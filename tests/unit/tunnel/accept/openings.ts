/**
 * First bytes for tests.
 *
 * @module
 */
import { HELLO_BYTES, PREFACE_BYTES, writeHead } from "../../../../src/wire/secure/opening.ts";

/** A control hello without a meaning behind its head. */
export function hello(): Uint8Array {
  const bytes = new Uint8Array(HELLO_BYTES);
  writeHead(bytes, "control");
  return bytes;
}

/** A link preface without a meaning behind its head; `mark` is its last byte. */
export function preface(mark = 0): Uint8Array {
  const bytes = new Uint8Array(PREFACE_BYTES);
  writeHead(bytes, "session");
  bytes[PREFACE_BYTES - 1] = mark;
  return bytes;
}

/** Bytes of a text. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** What a Go NodePass client sends. */
export const GO_REQUEST: string = `GET / HTTP/1.1\r\nHost: none\r\nAuthorization: Bearer ${"ab".repeat(32)}\r\n\r\n`;
