/**
 * The certificate authority that both ends derive from the root secret.
 *
 * Name, serial, validity and key are fixed by the root, and Ed25519 signs deterministically: both ends get the same bytes.
 *
 * @module
 */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import type { RootSecret } from "./root_secret.ts";

/** Common name of every derived authority: recognised in diagnostics. */
export const AUTHORITY_NAME = "NodePass key authority";

/** The validity of everything that a key signs: a clock that is wrong (no battery) must not lock a device out. */
export const VALIDITY: { readonly notBefore: Date; readonly notAfter: Date } = {
  notBefore: new Date("1970-01-01T00:00:00Z"),
  // RFC 5280: the date of certificates without a well-defined end.
  notAfter: new Date("9999-12-31T23:59:59Z"),
};

/** An authority that can sign. */
export interface CertificateAuthority {
  readonly certificate: x509.X509Certificate;
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
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: "01",
    subject: `CN=${AUTHORITY_NAME}`,
    issuer: `CN=${AUTHORITY_NAME}`,
    ...VALIDITY,
    publicKey,
    signingKey,
    signingAlgorithm: SIGNING_ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  }, crypto);
  return { certificate, signingKey };
}
