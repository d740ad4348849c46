/**
 * UUIDs that sort by time (RFC 9562, version 7).
 *
 * @module
 */
import type { Random } from "../runtime/types.ts";

const DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** A UUID of this moment. @param wall milliseconds since the epoch */
export function uuidV7(wall: number, random: Pick<Random, "bytes">): string {
  const bytes = random.bytes(16);
  const ms = Math.floor(wall);
  for (let index = 0; index < 6; index++) bytes[index] = Math.floor(ms / 2 ** (40 - 8 * index)) & 0xff;
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  let text = "";
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += "-";
    text += DIGITS[bytes[index] ?? 0];
  }
  return text;
}
