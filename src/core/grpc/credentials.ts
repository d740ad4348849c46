/**
 * What connections of the gRPC door are encrypted with.
 *
 * @module
 */
import { ServerCredentials } from "@grpc/grpc-js";
// What the library wants its bytes in; a Uint8Array is not enough for it.
import { Buffer } from "node:buffer";
// No web API looks into certificates.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { messageOf, NodePassError } from "../../errors.ts";

/** PEM texts of a TLS listener. */
export interface GrpcTls {
  /** The leaf first. */
  readonly chainPem: string;
  readonly keyPem: string;
  /** The authority whose certificates callers must show; null: they need none. */
  readonly clientCaPem: string | null;
}

/** Credentials of a listener; null: plaintext. TLS starts at 1.2. */
export function credentialsOf(tls: GrpcTls | null): ServerCredentials {
  if (tls === null) return ServerCredentials.createInsecure();
  const { chainPem, keyPem, clientCaPem } = tls;
  const pair = { cert_chain: Buffer.from(chainPem), private_key: Buffer.from(keyPem) };
  // Without an authority the library takes all that the environment names, and Deno then asks every caller for one of theirs.
  const credentials = ServerCredentials.createSsl(Buffer.from(clientCaPem ?? ""), [pair], clientCaPem !== null);
  renew(credentials, tls);
  return credentials;
}

/** Shows another certificate to connections that come from now on. */
export function renew(credentials: ServerCredentials, tls: GrpcTls): void {
  checkPair(tls);
  const { chainPem, keyPem, clientCaPem } = tls;
  // The library keeps this to its own kinds of credentials that watch files.
  (credentials as unknown as Renewable).updateSecureContextOptions({
    cert: [Buffer.from(chainPem)],
    key: [Buffer.from(keyPem)],
    ...(clientCaPem === null ? {} : { ca: Buffer.from(clientCaPem) }),
  });
}

interface Renewable {
  updateSecureContextOptions(options: { cert: Buffer[]; key: Buffer[]; ca?: Buffer }): void;
}

/** Deno takes any pair and fails at each handshake. */
function checkPair({ chainPem, keyPem }: GrpcTls): void {
  try {
    if (new X509Certificate(chainPem).checkPrivateKey(createPrivateKey(keyPem))) return;
  } catch (cause) {
    throw refused(messageOf(cause), cause);
  }
  throw refused("the private key does not belong to it");
}

function refused(reason: string, cause?: unknown): NodePassError {
  return new NodePassError("certificate", `Cannot use the certificate for gRPC: ${reason}`, { cause });
}
