/**
 * A server certificate and the fingerprint that the handshake binds.
 *
 * @module
 */
import type { CertificateFiles } from "../../config/types.ts";
import { messageOf, NodePassError } from "../../errors.ts";
import type { Files, ServerCertificate } from "../../runtime/types.ts";
import { leafSha256OfChain } from "../../wire/secure/identity.ts";

/** A certificate together with the SHA-256 of its leaf's DER. */
export interface PinnedCertificate {
  readonly certificate: ServerCertificate;
  readonly leafSha256: Uint8Array;
}

/** The leaf stands first; files may hold the private key before it. */
const FIRST_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/;

/**
 * Digests the leaf, the first certificate of the chain.
 *
 * @throws {NodePassError} `certificate` when there is none
 */
export async function pinCertificate(certificate: ServerCertificate): Promise<PinnedCertificate> {
  const leafPem = FIRST_CERTIFICATE.exec(certificate.chainPem)?.[0];
  if (leafPem === undefined) throw new NodePassError("certificate", "Cannot find a certificate in PEM form");
  return { certificate, leafSha256: await leafSha256OfChain(leafPem) };
}

/**
 * Reads a chain and its key.
 *
 * @throws {NodePassError} `certificate`, naming the file
 */
export async function readCertificate(files: Files, paths: CertificateFiles): Promise<PinnedCertificate> {
  const [chainPem, keyPem] = await Promise.all([read(files, "crt", paths.chain), read(files, "key", paths.key)]);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(keyPem)) {
    throw new NodePassError("certificate", `Cannot use key file "${paths.key}": it holds no private key in PEM form`);
  }
  try {
    return await pinCertificate({ chainPem, keyPem });
  } catch (cause) {
    throw new NodePassError("certificate", `Cannot use crt file "${paths.chain}": ${messageOf(cause)}`, { cause });
  }
}

async function read(files: Files, parameter: string, path: string): Promise<string> {
  try {
    return await files.readText(path);
  } catch (cause) {
    throw new NodePassError("certificate", `Cannot read ${parameter} file "${path}": ${messageOf(cause)}`, { cause });
  }
}
