/**
 * From the key of a tunnel to its root secret, and from the root to every secret in use.
 *
 * @module
 */
// WebCrypto has no scrypt in either runtime.
import { scrypt } from "node:crypto";
import { NodePassError } from "../../errors.ts";

/** Every secret has a label of its own, so that knowing one says nothing about another. */
export type SecretLabel = "certificate authority" | "proof" | "link" | "resume";

/** What a secret is bound to besides its label. */
export interface SecretBinding {
  /** Both nonces of a handshake. */
  readonly salt: Uint8Array;
  /** The client id. */
  readonly context: Uint8Array;
}

const LABEL_PREFIX = "nodepass secure v1 ";
const PASSWORD_SALT = "nodepass secure v1 password";
const SECRET_BYTES = 32;

/** scrypt works on 128 * N * r bytes; Node refuses more than 32 MiB unless told otherwise. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 192 * 1024 * 1024 } as const;

const GENERATED_PREFIX = "npk1_";
/** 43 characters are 258 bits: the last one must leave the two surplus bits zero, so that a key has one spelling. */
const GENERATED_KEY = /^npk1_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** The root of all secrets of one key; the key itself is used nowhere else. */
export class RootSecret {
  readonly #key: CryptoKey;

  /** @param key an HKDF key that cannot be exported */
  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** 32 bytes that belong to `label` alone. */
  async derive(label: SecretLabel, binding?: SecretBinding): Promise<Uint8Array<ArrayBuffer>> {
    const name = new TextEncoder().encode(LABEL_PREFIX + label);
    const context = binding?.context ?? new Uint8Array();
    const info = new Uint8Array(name.length + 1 + context.length);
    info.set(name);
    info.set(context, name.length + 1);
    const salt = new Uint8Array(binding?.salt ?? []);
    const bits = await crypto.subtle.deriveBits(
      { name: "HKDF", hash: "SHA-256", salt, info },
      this.#key,
      SECRET_BYTES * 8,
    );
    return new Uint8Array(bits);
  }

  /** The same as an HMAC-SHA-256 key that cannot be exported. */
  async deriveMacKey(label: SecretLabel, binding?: SecretBinding): Promise<CryptoKey> {
    const bytes = await this.derive(label, binding);
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign", "verify"]);
    bytes.fill(0);
    return key;
  }
}

/** Whether `key` is one that `keygen` made: 256 random bits that need no stretching. */
export function isGeneratedKey(key: string): boolean {
  return GENERATED_KEY.test(key);
}

/**
 * The text of a key.
 *
 * @param bytes 32 random bytes
 */
export function formatGeneratedKey(bytes: Uint8Array): string {
  if (bytes.length !== SECRET_BYTES) {
    throw new NodePassError("usage", `Cannot make a key from ${bytes.length} bytes: expected ${SECRET_BYTES}`);
  }
  const base64 = btoa(String.fromCharCode(...bytes));
  return GENERATED_PREFIX + base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * The root secret of a key.
 *
 * A key from `keygen` costs nothing; any other one is stretched (about 0.4 s and 128 MiB for a moment), because
 * whoever connects can test guesses against the signature of the server's certificate.
 */
export async function deriveRoot(key: string): Promise<RootSecret> {
  const material = isGeneratedKey(key) ? decodeGeneratedKey(key) : await stretch(key);
  const root = await crypto.subtle.importKey("raw", material, "HKDF", false, ["deriveBits"]);
  material.fill(0);
  return new RootSecret(root);
}

function decodeGeneratedKey(key: string): Uint8Array<ArrayBuffer> {
  const base64 = key.slice(GENERATED_PREFIX.length).replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

function stretch(key: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    scrypt(key, PASSWORD_SALT, SECRET_BYTES, SCRYPT, (error, derived) => {
      if (error !== null) reject(new NodePassError("io", "Cannot stretch the key", { cause: error }));
      else resolve(Uint8Array.from(derived));
    });
  });
}
