/**
 * A state as a file that people keep or carry to another machine.
 *
 * @module
 */
import { messageOf, NodePassError } from "../../errors.ts";
import { lowerFirst } from "./copies.ts";
import { decodeState, encodeState } from "./document.ts";
import type { MasterState } from "./types.ts";

/** First byte of every JSON object. */
const BRACE = 0x7b;

/** The text of an export: a state file as a master writes it. It holds the API key and the keys of tunnels. */
export async function exportState(state: MasterState): Promise<string> {
  return new TextDecoder().decode(await encodeState({ revision: 0, state }));
}

/**
 * Reads an export, or a copied state file.
 *
 * @throws {NodePassError} `not_supported` for a gob file or one of a later version, `corrupt`
 */
export async function importState(path: string, bytes: Uint8Array): Promise<MasterState> {
  const text = trimmed(bytes);
  if (text.length > 0 && text[0] !== BRACE) {
    throw new NodePassError("not_supported", `Cannot import ${path}: gob files are not supported, only JSON exports`);
  }
  try {
    return (await decodeState(text)).state;
  } catch (error) {
    if (!(error instanceof NodePassError)) throw error;
    throw new NodePassError(error.code, `Cannot import ${path}: ${lowerFirst(messageOf(error))}`, { cause: error });
  }
}

/** Without the line break that editors and shells put at the end. */
function trimmed(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end--;
  return bytes.subarray(0, end);
}
