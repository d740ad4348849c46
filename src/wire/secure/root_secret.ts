/**
 * From the key of a tunnel to its root secret, and from the root to every secret in use.
 *
 * @module
 */
import { parseGeneratedKey } from "../../generated_key.ts";
import { rootKey, stretchedRoot } from "./stretch.ts";

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
const SECRET_BYTES = 32;

/** The root of all secrets of one key; the key itself is used nowhere else. */
export class RootSecret {
  readonly #key: CryptoKey;

  /** @param key an HKDF key that cannot be exported */
  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** For another thread of this program: structured clone takes nothing else of this. */
  get key(): CryptoKey {
    return this.#key;
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

/**
 * The root secret of a key.
 *
 * A key from `keygen` costs nothing; any other one is stretched (about 0.4 s and 128 MiB for a moment), because
 * whoever connects can test guesses against the signature of the server's certificate.
 */
export async function deriveRoot(key: string): Promise<RootSecret> {
  const material = parseGeneratedKey(key);
  return new RootSecret(material === null ? await stretchedRoot(key) : await rootKey(material));
}
