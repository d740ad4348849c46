/**
 * Stretching of keys that people chose: slow and large on purpose, so never two at a time.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";

const SALT = "nodepass secure v1 password";
const SECRET_BYTES = 32;

/** scrypt works on 128 * N * r bytes; Node refuses more than 32 MiB unless told otherwise. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 192 * 1024 * 1024 } as const;

/** Keys whose root is remembered: an instance that starts again, and the other one of a pair, wait for nothing. */
const REMEMBERED = 64;

const roots = new Map<string, Promise<CryptoKey>>();
let queue: Promise<unknown> = Promise.resolve();

/** An HKDF key that cannot be exported, from about 0.4 s and 128 MiB of work the first time. */
export function stretchedRoot(key: string): Promise<CryptoKey> {
  const known = roots.get(key);
  if (known !== undefined) return known;
  const root = queue.then(() => stretch(key));
  queue = root.catch(() => roots.delete(key));
  roots.set(key, root);
  for (const oldest of roots.keys()) {
    if (roots.size <= REMEMBERED) break;
    roots.delete(oldest);
  }
  return root;
}

async function stretch(key: string): Promise<CryptoKey> {
  // WebCrypto has no scrypt in either runtime; a start with a generated key needs none.
  const { scrypt } = await import("node:crypto");
  const material = await new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
    scrypt(key, SALT, SECRET_BYTES, SCRYPT, (error, derived) => {
      if (error !== null) reject(new NodePassError("io", "Cannot stretch the key", { cause: error }));
      else resolve(Uint8Array.from(derived));
    });
  });
  return await rootKey(material);
}

/** The root as a key; `material` is gone afterwards. */
export async function rootKey(material: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const root = await crypto.subtle.importKey("raw", material, "HKDF", false, ["deriveBits"]);
  material.fill(0);
  return root;
}
