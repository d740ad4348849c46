/**
 * What each end shows or trusts in TLS, derived from the key.
 *
 * @module
 */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { NodePassError } from "../../errors.ts";
import type { Random, ServerCertificate } from "../../runtime/types.ts";
import { deriveAuthority, VALIDITY } from "./certificate_authority.ts";
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
  return { caPem: certificate.toString("pem") };
}

/** A fresh certificate of a server of this key. */
export async function createServerIdentity(root: RootSecret, random: Random): Promise<ServerIdentity> {
  const authority = await deriveAuthority(root);
  const keys = await crypto.subtle.generateKey(LEAF_ALGORITHM, true, ["sign", "verify"]);
  // No authority key identifier: rustls, OpenSSL and Node find the issuer by name, and the authority carries none.
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(random),
    subject: `CN=${INTERNAL_NAME}`,
    issuer: authority.certificate.subject,
    ...VALIDITY,
    publicKey: keys.publicKey,
    signingKey: authority.signingKey,
    signingAlgorithm: { name: "Ed25519" },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: INTERNAL_NAME }]),
    ],
  }, crypto);
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    chainPem: leaf.toString("pem"),
    keyPem: x509.PemConverter.encode(pkcs8, "PRIVATE KEY"),
    leafSha256: await sha256(leaf.rawData),
  };
}

/**
 * SHA-256 of the first certificate of a PEM chain, for servers with files of their own.
 *
 * @throws {NodePassError} `certificate` when the text holds none
 */
export async function leafSha256OfChain(chainPem: string): Promise<Uint8Array<ArrayBuffer>> {
  let blocks: ArrayBuffer[];
  try {
    blocks = x509.PemConverter.decode(chainPem);
  } catch (cause) {
    throw new NodePassError("certificate", "Cannot read the certificate chain: expected PEM text", { cause });
  }
  if (blocks[0] === undefined) {
    throw new NodePassError("certificate", "Cannot read the certificate chain: it holds no certificate");
  }
  return await sha256(blocks[0]);
}

/** SHA-256 of a certificate's DER, as the proofs want it. */
export async function sha256(der: ArrayBuffer | Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(der)));
}

/** 127 random bits: a serial number is a positive integer. */
function newSerial(random: Random): string {
  const bytes = random.bytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
