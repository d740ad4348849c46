/**
 * The preface of a link: 64 bytes, one write, no answer; frames follow at once.
 *
 * Head 8 · client id 16 · counter 8 (big-endian) · HMAC-SHA-256 32 over a label and all before it.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import { CLIENT_ID_BYTES, formatClientId, parseClientId } from "./client_id.ts";
import { HEAD_BYTES, parseHead, PREFACE_BYTES, writeHead } from "./opening.ts";

/** What a preface says. Not to be believed before {@linkcode verifyPreface}. */
export interface Preface {
  readonly kind: "session" | "datagram";
  /** 32 hex digits. */
  readonly clientId: string;
  /** Counts the links of one handshake; never used twice. */
  readonly counter: number;
}

const LABEL = new TextEncoder().encode("nodepass link preface v1");
const COUNTER_AT = HEAD_BYTES + CLIENT_ID_BYTES;
const MAC_AT = COUNTER_AT + 8;

/** The bytes of a preface, signed with the link key of the client's current handshake. */
export async function encodePreface(linkKey: CryptoKey, preface: Preface): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(PREFACE_BYTES);
  writeHead(bytes, preface.kind);
  bytes.set(parseClientId(preface.clientId), HEAD_BYTES);
  new DataView(bytes.buffer).setBigUint64(COUNTER_AT, BigInt(preface.counter));
  bytes.set(new Uint8Array(await crypto.subtle.sign("HMAC", linkKey, covered(bytes))), MAC_AT);
  return bytes;
}

/**
 * Content of a preface.
 *
 * @throws {NodePassError} `wire_mismatch` or `protocol`
 */
export function parsePreface(bytes: Uint8Array): Preface {
  const kind = parseHead(bytes);
  if (bytes.length !== PREFACE_BYTES || kind === "control") {
    throw new NodePassError("protocol", "Link preface is malformed: update the older end");
  }
  const counter = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(COUNTER_AT));
  if (!Number.isSafeInteger(counter)) throw new NodePassError("protocol", "Link preface has a counter out of range");
  return { kind, clientId: formatClientId(bytes.subarray(HEAD_BYTES, COUNTER_AT)), counter };
}

/** Whether a preface was signed with this link key; compares in constant time. */
export function verifyPreface(linkKey: CryptoKey, bytes: Uint8Array): Promise<boolean> {
  return crypto.subtle.verify("HMAC", linkKey, new Uint8Array(bytes.subarray(MAC_AT)), covered(bytes));
}

function covered(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const signed = new Uint8Array(LABEL.length + MAC_AT);
  signed.set(LABEL);
  signed.set(bytes.subarray(0, MAC_AT), LABEL.length);
  return signed;
}
