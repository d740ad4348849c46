/**
 * Names that a master makes: of instances, of itself, its API key.
 *
 * @module
 */
import { toHex } from "../bytes/hex.ts";
import type { Random } from "../runtime/types.ts";

/** Lower-case hex digits that nobody can predict. */
export function randomHex(random: Random, digits: number): string {
  return toHex(random.bytes(digits / 2));
}

/** Whether both texts are the same; how long it takes depends on the length of `given` alone. */
export function equalInConstantTime(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length;
  for (let index = 0; index < given.length; index++) {
    difference |= given.charCodeAt(index) ^ expected.charCodeAt(index % expected.length);
  }
  return difference === 0;
}

/** A short name of a content: the same content has the same name, another one almost surely another. */
export function fingerprint(content: string): string {
  return `${hash(content, 0x9e3779b1)}${hash(content, 0x85ebca77)}`;
}

/** 53 bits in 14 hex digits: two multiplicative hashes of 32 bits that mix at the end. */
function hash(text: string, seed: number): string {
  let a = 0xdeadbeef ^ seed;
  let b = 0x41c6ce57 ^ seed;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(16).padStart(14, "0");
}
