/**
 * Parts of file names that no other program chooses.
 *
 * @module
 */
import { toHex } from "../../bytes/hex.ts";
import { systemRandom } from "../random.ts";

/** 12 lower-case hex digits. */
export function randomName(): string {
  return toHex(systemRandom.bytes(6));
}
