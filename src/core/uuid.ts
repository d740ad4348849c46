/**
 * UUIDs (RFC 9562).
 *
 * @module
 */
import { toHex } from "../bytes/hex.ts";
import type { Random } from "../runtime/types.ts";

/** A UUID of this moment, version 7: they sort by time. @param wall milliseconds since the epoch */
export function uuidV7(wall: number, random: Pick<Random, "bytes">): string {
  const bytes = random.bytes(16);
  const ms = Math.floor(wall);
  for (let index = 0; index < 6; index++) bytes[index] = Math.floor(ms / 2 ** (40 - 8 * index)) & 0xff;
  return uuidOf(bytes, 7);
}

/** A UUID of chance alone, version 4. */
export function uuidV4(random: Pick<Random, "bytes">): string {
  return uuidOf(random.bytes(16), 4);
}

/** The text of these bytes once version and variant are written into them. */
function uuidOf(bytes: Uint8Array, version: 4 | 7): string {
  bytes[6] = version << 4 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = toHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
