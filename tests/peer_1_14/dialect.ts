/**
 * Bytes of the Go program's dialect, written from its description: nothing here comes from the product.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";

/** One line of the control connection. Empty members are left out of it. */
export interface PeerSignal {
  readonly action: string;
  readonly remote?: string;
  readonly id?: string;
  readonly fp?: string;
}

/** What a server tells in its answer to the handshake. */
export interface PeerTerms {
  /** "-": visitors arrive at the server, "+": at the client. */
  readonly flow: "-" | "+";
  readonly max: number;
  readonly tls: "0" | "1" | "2";
  readonly type: string;
}

/** Id of the control connection. */
export const CONTROL_ID = "00000000";

/** What stands behind `Bearer`. */
export function tokenOf(key: string): string {
  return createHmac("sha256", key).update("").digest("hex");
}

/** `sha256:AA:BB:...` of a certificate. */
export function fingerprintOf(der: Uint8Array): string {
  const hex = createHash("sha256").update(der).digest("hex").toUpperCase();
  return `sha256:${hex.match(/../g)!.join(":")}`;
}

/** A signal as a line, its end included. */
export function lineOf({ action, remote, id, fp }: PeerSignal, key: string): string {
  // The members stand in this order, as the Go program writes them.
  const text = JSON.stringify({ action, remote: remote || undefined, id: id || undefined, fp: fp || undefined });
  return `${masked(Buffer.from(text), key).toString("base64")}\n`;
}

/** The signal of a line without its end; throws when it is none. */
export function signalOf(line: string, key: string): PeerSignal {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(line) || line.length % 4 !== 0) throw new Error(`No base64: ${line.slice(0, 40)}`);
  const text = masked(Buffer.from(line, "base64"), key).toString("utf8");
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw new Error(`No object: ${text}`);
  for (const [name, member] of Object.entries(value)) {
    // Go decodes into strings and fails on anything else.
    if (typeof member !== "string") throw new Error(`Member ${name} is no text: ${text}`);
  }
  return value as PeerSignal;
}

/** Bytes XOR the key, again and again. */
export function masked(bytes: Uint8Array, key: string): Buffer {
  const mask = Buffer.from(key);
  return Buffer.from(bytes.map((byte, at) => byte ^ mask[at % mask.length]!));
}
