/**
 * The bytes of the control handshake: hello, reply, proof of the client.
 *
 * Hello, 128 bytes: head (flag bytes: transport, wishes) · nonce 32 · id to resume 16 · resume MAC 32 · reserved 40.
 * Reply, 128 bytes: nonce 32 · client id 16 · tls · transport · flags · reserved 45 · proof of the server 32.
 * Then the client sends its proof, 32 bytes. Reserved bytes are ignored by the receiver.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { ServerTls, Transport } from "./agreement.ts";
import { CLIENT_ID_BYTES } from "./client_id.ts";
import { HELLO_BYTES, parseHead, writeHead } from "./opening.ts";

/** Size of each nonce. */
export const NONCE_BYTES = 32;
/** Size of each proof and MAC. */
export const MAC_BYTES = 32;
/** Size of the reply. */
export const REPLY_BYTES = 128;
/** Where the server's proof starts in the reply. */
export const REPLY_PROOF_AT: number = REPLY_BYTES - MAC_BYTES;
/** How many bytes of a hello the resume MAC covers. */
export const HELLO_RESUME_COVERS: number = 8 + NONCE_BYTES + CLIENT_ID_BYTES;

const TRANSPORT_CODES = { tcp: 0, websocket: 2 } as const;
const TLS_CODES = { plain: 0, derived: 1, files: 2 } as const;
const WISH_RESUME = 1;
const FLAG_RESUMED = 1;

const HELLO_MAC_AT = HELLO_RESUME_COVERS;
/** An HTTP server that gets the hello answers at an empty line instead of waiting for one. */
const EMPTY_LINE = [0x0d, 0x0a, 0x0d, 0x0a] as const;

/** Content of a hello. */
export interface Hello {
  readonly transport: Transport;
  readonly nonce: Uint8Array<ArrayBuffer>;
  /** Id and MAC of the handshake to resume. */
  readonly resume: { readonly id: Uint8Array<ArrayBuffer>; readonly mac: Uint8Array<ArrayBuffer> } | null;
}

/** Content of a reply. */
export interface Reply {
  readonly nonce: Uint8Array<ArrayBuffer>;
  readonly clientId: Uint8Array<ArrayBuffer>;
  readonly tls: ServerTls;
  readonly transport: Transport;
  readonly resumed: boolean;
  readonly proof: Uint8Array<ArrayBuffer>;
}

/** Code of a tls mode on the wire. */
export function tlsCode(tls: ServerTls): number {
  return TLS_CODES[tls];
}

/** Code of a transport on the wire: the number that the parameter `type` has. */
export function transportCode(transport: Transport): number {
  return TRANSPORT_CODES[transport];
}

/** A hello whose resume MAC is still zero. */
export function encodeHello(
  transport: Transport,
  nonce: Uint8Array,
  resumeId: Uint8Array | null,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HELLO_BYTES);
  writeHead(bytes, "control");
  bytes[6] = TRANSPORT_CODES[transport];
  bytes[7] = resumeId === null ? 0 : WISH_RESUME;
  bytes.set(nonce, 8);
  if (resumeId !== null) bytes.set(resumeId, 8 + NONCE_BYTES);
  bytes.set(EMPTY_LINE, HELLO_BYTES - EMPTY_LINE.length);
  return bytes;
}

/** Puts the resume MAC into a hello. */
export function setResumeMac(hello: Uint8Array, mac: Uint8Array): void {
  hello.set(mac, HELLO_MAC_AT);
}

/**
 * Content of a hello.
 *
 * @throws {NodePassError} `wire_mismatch` or `protocol`
 */
export function parseHello(bytes: Uint8Array): Hello {
  if (bytes.length !== HELLO_BYTES || parseHead(bytes) !== "control") {
    throw new NodePassError("protocol", "Control hello is malformed: update the older end");
  }
  const idAt = 8 + NONCE_BYTES;
  return {
    transport: parseTransport(bytes[6]!),
    nonce: new Uint8Array(bytes.subarray(8, idAt)),
    resume: (bytes[7]! & WISH_RESUME) === 0 ? null : {
      id: new Uint8Array(bytes.subarray(idAt, HELLO_MAC_AT)),
      mac: new Uint8Array(bytes.subarray(HELLO_MAC_AT, HELLO_MAC_AT + MAC_BYTES)),
    },
  };
}

/** A reply. */
export function encodeReply(reply: Reply): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(REPLY_BYTES);
  bytes.set(reply.nonce);
  bytes.set(reply.clientId, NONCE_BYTES);
  bytes[48] = tlsCode(reply.tls);
  bytes[49] = TRANSPORT_CODES[reply.transport];
  bytes[50] = reply.resumed ? FLAG_RESUMED : 0;
  bytes.set(reply.proof, REPLY_PROOF_AT);
  return bytes;
}

/**
 * Content of a reply of {@linkcode REPLY_BYTES} bytes. Nothing in it may be believed before its proof was verified.
 *
 * @throws {NodePassError} `protocol`
 */
export function parseReply(bytes: Uint8Array): Reply {
  return {
    nonce: new Uint8Array(bytes.subarray(0, NONCE_BYTES)),
    clientId: new Uint8Array(bytes.subarray(NONCE_BYTES, NONCE_BYTES + CLIENT_ID_BYTES)),
    tls: parseTls(bytes[48]!),
    transport: parseTransport(bytes[49]!),
    resumed: (bytes[50]! & FLAG_RESUMED) !== 0,
    proof: new Uint8Array(bytes.subarray(REPLY_PROOF_AT)),
  };
}

function parseTransport(code: number): Transport {
  if (code === TRANSPORT_CODES.tcp) return "tcp";
  if (code === TRANSPORT_CODES.websocket) return "websocket";
  throw new NodePassError("protocol", `Peer announces the unknown transport ${code}: set the same type on both ends`);
}

function parseTls(code: number): ServerTls {
  if (code === TLS_CODES.plain) return "plain";
  if (code === TLS_CODES.derived) return "derived";
  if (code === TLS_CODES.files) return "files";
  throw new NodePassError("protocol", `Server announces the unknown tls mode ${code}: update the older end`);
}
