/**
 * A server certificate and the fingerprint that the handshake binds.
 *
 * @module
 */
import type { CertificateFiles } from "../../config/types.ts";
import { messageOf, NodePassError } from "../../errors.ts";
import type { Files, ServerCertificate } from "../../runtime/types.ts";

/** A certificate together with the SHA-256 of its leaf's DER. */
export interface PinnedCertificate {
  readonly certificate: ServerCertificate;
  readonly leafSha256: Uint8Array;
}

const FIRST_CERTIFICATE = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/;

/**
 * Finds the leaf, the first certificate of the chain, and digests it.
 *
 * @throws {NodePassError} `certificate` when there is none
 */
export async function pinCertificate(certificate: ServerCertificate): Promise<PinnedCertificate> {
  const body = FIRST_CERTIFICATE.exec(certificate.chainPem)?.[1];
  if (body === undefined) throw new NodePassError("certificate", "Cannot find a certificate in PEM form");
  let der: Uint8Array<ArrayBuffer>;
  try {
    der = Uint8Array.from(atob(body.replaceAll(/\s/g, "")), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new NodePassError("certificate", "Cannot decode the first certificate: its base64 is broken", { cause });
  }
  return { certificate, leafSha256: new Uint8Array(await crypto.subtle.digest("SHA-256", der)) };
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
