/**
 * What each end shows or trusts in TLS, derived from the key.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Random, ServerCertificate } from "../../runtime/types.ts";
import { serverExtensions, signCertificate } from "./certificate.ts";
import { AUTHORITY_NAME, deriveAuthority } from "./certificate_authority.ts";
import { encodePem, firstCertificate } from "./pem.ts";
import type { RootSecret } from "./root_secret.ts";

/** The name in every derived server certificate: sent as SNI and verified; `.internal` belongs to no public authority. */
export const INTERNAL_NAME = "nodepass.internal";

/** What a client trusts. */
export interface ClientIdentity {
  /** PEM of the authority of the key. */
  readonly caPem: string;
}

/** What a server shows. */
export interface ServerIdentity extends ServerCertificate {
  /** SHA-256 of the leaf's DER: bound into the proofs. */
  readonly leafSha256: Uint8Array<ArrayBuffer>;
}

const LEAF_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;

/** The authority that a client of this key trusts. */
export async function deriveClientIdentity(root: RootSecret): Promise<ClientIdentity> {
  const { certificate } = await deriveAuthority(root);
  return { caPem: encodePem("CERTIFICATE", certificate) };
}

/** A fresh certificate of a server of this key. */
export async function createServerIdentity(root: RootSecret, random: Random): Promise<ServerIdentity> {
  const [{ signingKey }, keys] = await Promise.all([
    deriveAuthority(root),
    crypto.subtle.generateKey(LEAF_ALGORITHM, true, ["sign", "verify"]),
  ]);
  const leaf = await signCertificate({
    serial: newSerial(random),
    issuer: AUTHORITY_NAME,
    subject: INTERNAL_NAME,
    publicKey: await crypto.subtle.exportKey("spki", keys.publicKey),
    extensions: serverExtensions(INTERNAL_NAME),
  }, signingKey);
  return {
    chainPem: encodePem("CERTIFICATE", leaf),
    keyPem: encodePem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", keys.privateKey)),
    leafSha256: await sha256(leaf),
  };
}

/**
 * SHA-256 of the first certificate of a PEM chain, for servers with files of their own.
 *
 * @throws {NodePassError} `certificate` when the text holds none
 */
export async function leafSha256OfChain(chainPem: string): Promise<Uint8Array<ArrayBuffer>> {
  const leaf = firstCertificate(chainPem);
  if (leaf === null) {
    throw new NodePassError("certificate", "Cannot read the certificate chain: it holds no certificate in PEM form");
  }
  return await sha256(leaf);
}

/** SHA-256 of a certificate's DER, as the proofs want it. */
export async function sha256(der: ArrayBuffer | Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(der)));
}

/** 127 random bits: a serial number is a positive integer. */
function newSerial(random: Random): number[] {
  const [first = 0, ...rest] = random.bytes(16);
  return [first & 0x7f | 0x40, ...rest];
}
