/**
 * The client's side of the control handshake.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Conn, Random } from "../../runtime/types.ts";
import type { Agreement, ResumeTicket, ServerTls, Transport } from "./agreement.ts";
import { formatClientId, parseClientId } from "./client_id.ts";
import { readUpTo, writeExact } from "./exact_io.ts";
import {
  encodeHello,
  HELLO_RESUME_COVERS,
  NONCE_BYTES,
  parseReply,
  type Reply,
  REPLY_BYTES,
  setResumeMac,
} from "./handshake_messages.ts";
import { detectForeignOpening } from "./foreign_opening.ts";
import { deriveSessionKeys, proofKey, signProof, signResume, verifyProof } from "./proof.ts";
import type { RootSecret } from "./root_secret.ts";

/** Options of {@linkcode clientHandshake}. */
export interface ClientHandshakeOptions {
  readonly root: RootSecret;
  readonly random: Random;
  readonly transport: Transport;
  /**
   * How this connection was made: the server must prove that this is its own configuration. Inside WebSockets, where a
   * proxy may end TLS, that holds for `plain` alone.
   */
  readonly tls: ServerTls;
  /** SHA-256 of the leaf that the server showed on this connection; null with `plain` and inside WebSockets. */
  readonly leafSha256: Uint8Array | null;
  /** From the last agreement with this server. */
  readonly resume: ResumeTicket | null;
}

/**
 * Opens a control channel: checks the proof of the server, then proves the key.
 *
 * The deadline belongs to the caller, who closes the connection on every failure.
 *
 * @throws {NodePassError} `wrong_key`, `wire_mismatch`, `protocol`, or `closed` when the server hangs up
 */
export async function clientHandshake(
  conn: Pick<Conn, "read" | "write">,
  options: ClientHandshakeOptions,
): Promise<Agreement> {
  const { root, random, transport, resume } = options;
  const clientNonce = random.bytes(NONCE_BYTES);
  const resumeId = resume === null ? null : parseClientId(resume.clientId);
  const hello = encodeHello(transport, clientNonce, resumeId);
  if (resume !== null) {
    setResumeMac(hello, await signResume(resume.resumeSecret, hello.subarray(0, HELLO_RESUME_COVERS)));
  }
  await writeExact(conn, hello);

  const reply = await readReply(conn, options);
  const bound = transport === "tcp";
  // What the server says about itself is believed once it is proved; `readReply` compared it with this connection.
  const transcript = {
    clientNonce,
    serverNonce: reply.nonce,
    clientId: reply.clientId,
    transport,
    tls: reply.tls,
    leafSha256: bound ? options.leafSha256 : null,
  };
  const key = await proofKey(root);
  if (!await verifyProof(key, "server", transcript, reply.proof)) throw unprovenError(options.tls, bound);

  const clientId = formatClientId(reply.clientId);
  // The id is part of the proof and the flag is not: both must say the same.
  const resumed = clientId === resume?.clientId;
  if (reply.resumed !== resumed) {
    throw new NodePassError("protocol", "Server contradicts itself about resuming: try again");
  }
  await writeExact(conn, await signProof(key, "client", transcript));
  const keys = await deriveSessionKeys(root, transcript);
  return { clientId, resumed, ...keys, serverTls: transcript.tls, transport };
}

async function readReply(conn: Pick<Conn, "read">, options: ClientHandshakeOptions): Promise<Reply> {
  const bytes = new Uint8Array(REPLY_BYTES);
  const filled = await readUpTo(conn, bytes);
  // A reply starts with a random nonce: what looks like another protocol is one.
  const foreign = detectForeignOpening(bytes.subarray(0, filled));
  if (foreign === "http" || foreign === "go") {
    throw new NodePassError(
      "wire_mismatch",
      "Server answers HTTP: for a Go NodePass server set wire=1.14 on this client, for an HTTP proxy type=2 on both ends",
    );
  }
  if (filled < REPLY_BYTES) {
    if (foreign === "tls") {
      throw new NodePassError("wire_mismatch", "Server speaks TLS where plain was expected: set tls=1 on this client");
    }
    throw new NodePassError(
      "closed",
      "Server hung up on the hello: set the same type on both ends, or see the server's log",
    );
  }
  const reply = parseReply(bytes);
  if (reply.transport !== options.transport) {
    throw new NodePassError(
      "wire_mismatch",
      `Server uses ${reply.transport} links and this client ${options.transport}: set the same type on both ends`,
    );
  }
  if (reply.tls !== options.tls && (options.transport === "tcp" || options.tls === "plain")) {
    throw new NodePassError(
      "wire_mismatch",
      `Server is set to ${describe(reply.tls)} but this connection is ${describe(options.tls)}: ` +
        "something between both ends adds or removes TLS, connect without it",
    );
  }
  return reply;
}

function unprovenError(tls: ServerTls, bound: boolean): NodePassError {
  // With a derived certificate the key already fitted, so only the connection can be another one.
  const message = bound && tls === "derived"
    ? "Server's proof is for another connection: something between both ends reads the traffic, connect without it"
    : "Server could not prove the key: set the same key on both ends";
  return new NodePassError("wrong_key", message);
}

function describe(tls: ServerTls): string {
  switch (tls) {
    case "plain":
      return "plain (tls=0)";
    case "derived":
      return "TLS from the key (tls=1)";
    case "files":
      return "TLS with files (tls=2)";
  }
}
