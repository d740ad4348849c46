/**
 * The proofs that both ends know the key and see the same connection, and the keys that come out of a handshake.
 *
 * @module
 */
import { joinBytes } from "../../bytes/join.ts";
import type { ServerTls, Transport } from "./agreement.ts";
import { MAC_BYTES, tlsCode, transportCode } from "./handshake_messages.ts";
import type { RootSecret } from "./root_secret.ts";

/** Everything that a proof binds. */
export interface Transcript {
  readonly clientNonce: Uint8Array;
  readonly serverNonce: Uint8Array;
  readonly clientId: Uint8Array;
  readonly transport: Transport;
  /** The server's own configuration. */
  readonly tls: ServerTls;
  /** SHA-256 of the server's leaf as this end sees it; null without TLS and inside WebSockets. */
  readonly leafSha256: Uint8Array | null;
}

/** Who proves. */
export type ProofRole = "server" | "client";

/** What links and a later resume are authenticated with. */
export interface SessionKeys {
  readonly linkKey: CryptoKey;
  readonly resumeSecret: CryptoKey;
}

const PROOF_LABEL = new TextEncoder().encode("nodepass handshake proof v1");
const RESUME_LABEL = new TextEncoder().encode("nodepass handshake resume v1");
const ROLE_CODES = { server: 1, client: 2 } as const;

/** HMAC key of both proofs. */
export function proofKey(root: RootSecret): Promise<CryptoKey> {
  return root.deriveMacKey("proof");
}

/** The proof of one role. */
export async function signProof(
  key: CryptoKey,
  role: ProofRole,
  transcript: Transcript,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encodeTranscript(role, transcript)));
}

/** Whether `proof` is the proof of `role`; compares in constant time. */
export function verifyProof(
  key: CryptoKey,
  role: ProofRole,
  transcript: Transcript,
  proof: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  return crypto.subtle.verify("HMAC", key, proof, encodeTranscript(role, transcript));
}

/** The keys of this handshake: other nonces or another client give other keys. */
export async function deriveSessionKeys(root: RootSecret, transcript: Transcript): Promise<SessionKeys> {
  const salt = new Uint8Array(transcript.clientNonce.length + transcript.serverNonce.length);
  salt.set(transcript.clientNonce);
  salt.set(transcript.serverNonce, transcript.clientNonce.length);
  const binding = { salt, context: transcript.clientId };
  const [linkKey, resumeSecret] = await Promise.all([
    root.deriveMacKey("link", binding),
    root.deriveMacKey("resume", binding),
  ]);
  return { linkKey, resumeSecret };
}

/** MAC of a wish to resume over the covered start of a hello, its fresh nonce included. */
export async function signResume(secret: CryptoKey, covered: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", secret, labelled(RESUME_LABEL, covered)));
}

/** Whether `mac` is the MAC of a wish to resume; compares in constant time. */
export function verifyResume(secret: CryptoKey, covered: Uint8Array, mac: Uint8Array<ArrayBuffer>): Promise<boolean> {
  return crypto.subtle.verify("HMAC", secret, mac, labelled(RESUME_LABEL, covered));
}

/** Every part has a fixed size, so that no two transcripts have the same bytes. */
function encodeTranscript(role: ProofRole, transcript: Transcript): Uint8Array<ArrayBuffer> {
  const { clientNonce, serverNonce, clientId, leafSha256 } = transcript;
  const bytes = new Uint8Array(1 + clientNonce.length + serverNonce.length + 2 + clientId.length + MAC_BYTES);
  let at = 0;
  bytes[at++] = ROLE_CODES[role];
  bytes.set(clientNonce, at);
  bytes.set(serverNonce, at += clientNonce.length);
  at += serverNonce.length;
  bytes[at++] = tlsCode(transcript.tls);
  bytes[at++] = transportCode(transcript.transport);
  bytes.set(clientId, at);
  if (leafSha256 !== null) bytes.set(leafSha256, at + clientId.length);
  return labelled(PROOF_LABEL, bytes);
}

function labelled(label: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return joinBytes([label, bytes], label.length + bytes.length);
}
