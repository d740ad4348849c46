/**
 * What only this Core knows: the pepper of its hashes and the key of its signatures.
 *
 * @module
 */

/** The secret of a Core. */
export interface CoreSecret {
  /** HMAC-SHA-256 of a text under the pepper: what is stored in place of a key or token. */
  hash(text: string): Promise<Uint8Array>;
  /** Whether two hashes are equal, in a time that says nothing about where they differ. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** A short-lived token for one node, which it checks against {@linkcode CoreSecret.publicKey}. */
  signToken(audienceNodeId: number, ttlMs: number): Promise<string>;
  /** The raw Ed25519 public key, base64url. */
  readonly publicKey: string;
}
