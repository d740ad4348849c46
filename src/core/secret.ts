/**
 * What only this Core knows: the pepper of its hashes and the key of its signatures.
 *
 * @module
 */
// The web API hashes on another thread: a fleet that comes back would wait twenty times as long for it.
import { createHmac } from "node:crypto";
import type { Clock } from "../runtime/types.ts";

/** The secret of a Core. */
export interface CoreSecret {
  /** HMAC-SHA-256 of a text under the pepper: what is stored in place of a key or token. */
  hash(text: string): Uint8Array;
  /** Whether two hashes are equal, in a time that says nothing about where they differ. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** A short-lived token for one node, which it checks against {@linkcode CoreSecret.publicKey}. */
  signToken(audienceNodeId: number, ttlMs: number): Promise<string>;
  /** The raw Ed25519 public key, base64url. */
  readonly publicKey: string;
}

/** What a token says, in this order: `<base64url of it as JSON>.<base64url of the signature over that text>`. */
export interface TokenClaims {
  /** The node that it is for. */
  readonly aud: number;
  /** Milliseconds since the epoch. */
  readonly exp: number;
  /** Where one kind of token ends and another begins. */
  readonly use: "runtime-status";
}

const PEPPER = "nodepass core pepper v1";
const SIGNING_KEY = "nodepass core signing key v1";
/** PKCS #8 around the 32 bytes of an Ed25519 private key (RFC 8410). */
const PKCS8_HEAD = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32);

/**
 * Derives everything from one text.
 *
 * @param text 32 or more characters
 */
export async function createCoreSecret(text: string, clock: Pick<Clock, "wall">): Promise<CoreSecret> {
  const { subtle } = crypto;
  const root = await subtle.importKey("raw", encode(text), "HKDF", false, ["deriveBits"]);
  const derive = async (info: string): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(
      await subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encode(info) }, root, 256),
    );
  const pepper = await derive(PEPPER);
  const pkcs8 = new Uint8Array([...PKCS8_HEAD, ...await derive(SIGNING_KEY)]);
  const signing = await subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const { x: publicKey } = await subtle.exportKey("jwk", signing);
  if (publicKey === undefined) throw new TypeError("An Ed25519 key has no public part");
  return {
    publicKey,
    hash: (value) => new Uint8Array(createHmac("sha256", pepper).update(value).digest()),
    equal: sameBytes,
    async signToken(aud, ttlMs) {
      const claims: TokenClaims = { aud, exp: clock.wall() + ttlMs, use: "runtime-status" };
      const body = base64Url(encode(JSON.stringify(claims)));
      return `${body}.${base64Url(new Uint8Array(await subtle.sign("Ed25519", signing, encode(body))))}`;
    },
  };
}

/** Whether the bytes are the same; its time depends on the length of `a` alone. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index++) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}

/** Bytes as text without padding. */
export function base64Url(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
