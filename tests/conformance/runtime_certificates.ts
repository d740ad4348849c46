/**
 * Certificates made at test time: an authority and leaves with one fault each.
 *
 * @module
 */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import type { ServerCertificate } from "../../src/runtime/types.ts";

const day = 24 * 60 * 60 * 1000;
const leafAlgorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A certificate authority: Ed25519, like the one that both ends derive from a key. */
export interface Authority {
  readonly caPem: string;
  /** A leaf for `names` (an IP becomes an IP entry); `ageDays` moves its validity into the past. */
  issue(names: readonly string[], ageDays?: number): Promise<ServerCertificate>;
}

/** A fresh authority. */
export async function createAuthority(name: string): Promise<Authority> {
  const keys = await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"]) as CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - 365 * day),
    notAfter: new Date(Date.now() + 365 * day),
    keys,
    signingAlgorithm: { name: "Ed25519" },
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  return {
    caPem: certificate.toString("pem"),
    issue: (names, ageDays = 0) => issue(certificate, keys.privateKey, names, ageDays),
  };
}

async function issue(
  authority: x509.X509Certificate,
  signingKey: CryptoKey,
  names: readonly string[],
  ageDays: number,
): Promise<ServerCertificate> {
  const keys = await crypto.subtle.generateKey(leafAlgorithm, true, ["sign", "verify"]) as CryptoKeyPair;
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: "02",
    subject: `CN=${names[0]}`,
    issuer: authority.subject,
    notBefore: new Date(Date.now() - (ageDays + 1) * day),
    notAfter: new Date(Date.now() + (30 - ageDays) * day),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: { name: "Ed25519" },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: /^[\d.:]+$/.test(value) ? "ip" as const : "dns" as const, value })),
      ),
    ],
  });
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { chainPem: leaf.toString("pem"), keyPem: x509.PemConverter.encode(pkcs8, "PRIVATE KEY") };
}
