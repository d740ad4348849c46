/**
 * Parts of file names that no other program chooses.
 *
 * @module
 */
import { systemRandom } from "../random.ts";

/** 12 lower-case hex digits. */
export function randomName(): string {
  return Array.from(systemRandom.bytes(6), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
