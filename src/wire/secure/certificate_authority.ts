/**
 * The certificate authority that both ends derive from the root secret.
 *
 * Name, serial, validity and key are fixed by the root, and Ed25519 signs deterministically: both ends get the same bytes.
 *
 * @module
 */
import { authorityExtensions, signCertificate } from "./certificate.ts";
import type { RootSecret } from "./root_secret.ts";

/** Common name of every derived authority: recognised in diagnostics. */
export const AUTHORITY_NAME = "NodePass key authority";

/** An authority that can sign. */
export interface CertificateAuthority {
  /** DER. */
  readonly certificate: Uint8Array<ArrayBuffer>;
  readonly signingKey: CryptoKey;
}

/** PKCS #8 around a raw Ed25519 seed (RFC 8410). */
const PKCS8_PREFIX = new Uint8Array([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);
const SIGNING_ALGORITHM = { name: "Ed25519" } as const;

/** The authority of a root secret. */
export async function deriveAuthority(root: RootSecret): Promise<CertificateAuthority> {
  const seed = await root.derive("certificate authority");
  const pkcs8 = new Uint8Array(PKCS8_PREFIX.length + seed.length);
  pkcs8.set(PKCS8_PREFIX);
  pkcs8.set(seed, PKCS8_PREFIX.length);
  const exportable = await crypto.subtle.importKey("pkcs8", pkcs8, SIGNING_ALGORITHM, true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", exportable);
  const publicJwk = { kty: "OKP", crv: "Ed25519", x: x! };
  const publicKey = await crypto.subtle.importKey("jwk", publicJwk, SIGNING_ALGORITHM, true, ["verify"]);
  const signingKey = await crypto.subtle.importKey("pkcs8", pkcs8, SIGNING_ALGORITHM, false, ["sign"]);
  seed.fill(0);
  pkcs8.fill(0);
  const certificate = await signCertificate({
    serial: [1],
    issuer: AUTHORITY_NAME,
    subject: AUTHORITY_NAME,
    publicKey: await crypto.subtle.exportKey("spki", publicKey),
    extensions: authorityExtensions(),
  }, signingKey);
  return { certificate, signingKey };
}
