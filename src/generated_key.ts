/**
 * Keys made by `nodepass keygen`: 256 random bits that need no stretching.
 *
 * @module
 */

/** What a generated key starts with; 43 base64url characters follow. */
const keyPrefix = "npk1_";

/** The key that 32 random bytes make. */
export function formatGeneratedKey(bytes: Uint8Array): string {
  if (bytes.length !== 32) throw new RangeError(`Cannot make a key from ${bytes.length} bytes: expected 32`);
  const base64 = btoa(String.fromCharCode(...bytes));
  return keyPrefix + base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The 32 bytes of a generated key, or null when the text is some other key. */
export function parseGeneratedKey(text: string): Uint8Array<ArrayBuffer> | null {
  // The last of 43 characters carries four bits: only these 16 end a canonical encoding.
  if (!/^npk1_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(text)) return null;
  const base64 = text.slice(keyPrefix.length).replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
