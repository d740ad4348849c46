/**
 * The id of a client: 16 random bytes on the wire, 32 lower-case hex digits everywhere else.
 *
 * @module
 */
import { toHex } from "../../bytes/hex.ts";
import { NodePassError } from "../../errors.ts";

/** Bytes of a client id. */
export const CLIENT_ID_BYTES = 16;

const TEXT = /^[0-9a-f]{32}$/;

/** Hex text of an id. */
export function formatClientId(bytes: Uint8Array): string {
  return toHex(bytes);
}

/**
 * Bytes of an id.
 *
 * @throws {NodePassError} `protocol` when the text is not 32 hex digits
 */
export function parseClientId(text: string): Uint8Array<ArrayBuffer> {
  if (!TEXT.test(text)) throw new NodePassError("protocol", "Client id is not 32 hex digits");
  return Uint8Array.from({ length: CLIENT_ID_BYTES }, (_, at) => parseInt(text.slice(at * 2, at * 2 + 2), 16));
}
