/**
 * The server's side of the control handshake.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Conn, Random } from "../../runtime/types.ts";
import type { Agreement, ServerTls, Transport } from "./agreement.ts";
import { CLIENT_ID_BYTES, formatClientId } from "./client_id.ts";
import { readUpTo, writeExact } from "./exact_io.ts";
import {
  encodeReply,
  type Hello,
  HELLO_RESUME_COVERS,
  MAC_BYTES,
  NONCE_BYTES,
  parseHello,
} from "./handshake_messages.ts";
import { deriveSessionKeys, proofKey, signProof, verifyProof, verifyResume } from "./proof.ts";
import type { RootSecret } from "./root_secret.ts";

/** Options of {@linkcode serverHandshake}. */
export interface ServerHandshakeOptions {
  readonly root: RootSecret;
  readonly random: Random;
  readonly transport: Transport;
  /** The server's own configuration. */
  readonly tls: ServerTls;
  /** SHA-256 of the leaf that this server shows; null with `plain`. */
  readonly leafSha256: Uint8Array | null;
  /**
   * Resume secrets of a client that the server still knows: of its last handshake, and of the one before it in case
   * the client never learnt that the last one succeeded. Empty for an unknown id.
   */
  resumeSecrets(clientId: string): readonly CryptoKey[];
}

/**
 * Answers a hello: proves the key, then checks the proof of the client.
 *
 * Nothing about a resumed client may change before this resolves: only then has its new control channel proved itself.
 * The deadline belongs to the caller, who closes the connection on every failure.
 *
 * @param hello what `readOpening` read
 * @throws {NodePassError} `wrong_key`, `wire_mismatch` or `protocol`
 */
export async function serverHandshake(
  conn: Pick<Conn, "read" | "write">,
  hello: Uint8Array,
  options: ServerHandshakeOptions,
): Promise<Agreement> {
  const { root, random, transport } = options;
  const wish = parseHello(hello);
  if (wish.transport !== transport) {
    throw new NodePassError(
      "wire_mismatch",
      `Client uses ${wish.transport} links and this server ${transport}: set the same type on both ends`,
    );
  }
  const resumed = await mayResume(wish, hello, options);
  const transcript = {
    clientNonce: wish.nonce,
    serverNonce: random.bytes(NONCE_BYTES),
    clientId: resumed ? wish.resume!.id : random.bytes(CLIENT_ID_BYTES),
    transport,
    tls: options.tls,
    // A proxy may end TLS in front of WebSockets: the client sees its leaf.
    leafSha256: transport === "tcp" ? options.leafSha256 : null,
  };
  const key = await proofKey(root);
  const { serverNonce: nonce, clientId, tls } = transcript;
  const proof = await signProof(key, "server", transcript);
  await writeExact(conn, encodeReply({ nonce, clientId, tls, transport, resumed, proof }));

  const answer = new Uint8Array(MAC_BYTES);
  if (await readUpTo(conn, answer) < MAC_BYTES) {
    throw new NodePassError(
      "wrong_key",
      "Client left when it saw the proof of this server: set the same key on both ends",
    );
  }
  if (!await verifyProof(key, "client", transcript, answer)) {
    throw new NodePassError("wrong_key", "Client could not prove the key: set the same key on both ends");
  }
  const keys = await deriveSessionKeys(root, transcript);
  return { clientId: formatClientId(clientId), resumed, ...keys, serverTls: tls, transport };
}

async function mayResume(wish: Hello, hello: Uint8Array, options: ServerHandshakeOptions): Promise<boolean> {
  if (wish.resume === null) return false;
  const covered = hello.subarray(0, HELLO_RESUME_COVERS);
  for (const secret of options.resumeSecrets(formatClientId(wish.resume.id))) {
    if (await verifyResume(secret, covered, wish.resume.mac)) return true;
  }
  return false;
}
