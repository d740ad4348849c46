/**
 * The bearer token of the handshake. It is the same each time: whoever saw it once can replay it.
 *
 * @module
 */
import { toHex } from "../../bytes/hex.ts";

/** Lower-case hex of HMAC-SHA-256 over nothing. */
export async function bearerToken(key: string): Promise<string> {
  const bytes = new TextEncoder().encode(key);
  // HMAC fills a key up with zeros, and a key without bytes cannot be imported.
  const secret = bytes.length === 0 ? new Uint8Array(64) : bytes;
  const mac = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", mac, new Uint8Array(0))));
}

/** Whether two tokens are the same; how long it takes tells their lengths alone. */
export function tokensEqual(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) {
    difference |= a.charCodeAt(at) ^ (b.length === 0 ? 0 : b.charCodeAt(at % b.length));
  }
  return difference === 0;
}
