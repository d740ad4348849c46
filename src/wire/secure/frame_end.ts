/**
 * Where a frame in a read buffer ends.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import { FRAME_HEADER_BYTES } from "./frames.ts";

/**
 * The index behind the frame that begins at `at`; 0 while some of it is missing in `bytes[at, have)`.
 *
 * @param most the longest payload
 * @throws {NodePassError} `protocol` as soon as the header announces more
 */
export function frameEnd(bytes: Uint8Array, at: number, have: number, most: number): number {
  if (have - at < FRAME_HEADER_BYTES) return 0;
  const length = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  if (length > most) {
    throw new NodePassError(
      "protocol",
      `Frame of type ${bytes[at]} announces ${length} bytes, the limit is ${most}`,
    );
  }
  const end = at + FRAME_HEADER_BYTES + length;
  return end > have ? 0 : end;
}
