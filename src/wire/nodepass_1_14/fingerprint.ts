/**
 * How both ends name the server's certificate.
 *
 * @module
 */

/** `sha256:AA:BB:...`, SHA-256 over the DER of the leaf. */
export async function fingerprint(der: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(der)));
  const digits = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0").toUpperCase());
  return `sha256:${digits.join(":")}`;
}
