/**
 * The text of keys and join tokens.
 *
 * @module
 */
import type { Random } from "../../runtime/types.ts";

/** A key in its two parts. */
export interface AuthKey {
  /** What it is looked up by; no secret. */
  readonly keyId: string;
  /** What proves it. */
  readonly secret: string;
}

const KEY = /^nk1\.([A-Za-z0-9_-]{12})\.([A-Za-z0-9_-]{43})$/;

/** A new key: 72 bits to find it, 256 to prove it. */
export function newAuthKey(random: Pick<Random, "bytes">): AuthKey {
  return { keyId: base64Url(random.bytes(9)), secret: base64Url(random.bytes(32)) };
}

/** The text that a node keeps. */
export function formatAuthKey({ keyId, secret }: AuthKey): string {
  return `nk1.${keyId}.${secret}`;
}

/** The parts of a key, or null for anything else. */
export function parseAuthKey(text: string): AuthKey | null {
  const [, keyId, secret] = KEY.exec(text) ?? [];
  return keyId === undefined || secret === undefined ? null : { keyId, secret };
}

/** A new join token: 160 bits. */
export function newJoinToken(random: Pick<Random, "bytes">): string {
  return `nj1.${base64Url(random.bytes(20))}`;
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
