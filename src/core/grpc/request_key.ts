/**
 * The key that a request carries in its first field, found without reading the rest: whoever has none does not make Core
 * read eight megabytes.
 *
 * @module
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

const AUTH_KEY = 1;

/** The key; "" where there is none, or the bytes are no message. */
export function requestKey(bytes: Uint8Array): string {
  const reader = new BinaryReader(bytes);
  let key = "";
  try {
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field === AUTH_KEY && type === WireType.LengthDelimited) key = reader.string();
      else reader.skip(type, field);
    }
  } catch {
    return "";
  }
  return key;
}
