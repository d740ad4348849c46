/**
 * A state as a file that people keep or carry to another machine, and the state file of a Go master.
 *
 * @module
 */
import { messageOf, NodePassError } from "../../errors.ts";
import type { Random } from "../../runtime/types.ts";
import { fromGoState, type ImportedState } from "../gob/go_state.ts";
import { lowerFirst } from "./copies.ts";
import { decodeState, encodeState } from "./document.ts";
import type { MasterState } from "./types.ts";

/** Largest file that is imported. */
export const MAX_IMPORT_BYTES: number = 256 * 1024 * 1024;

/** First byte of every JSON object. */
const BRACE = 0x7b;

/** The text of an export: a state file as a master writes it. It holds the API key and the keys of tunnels. */
export async function exportState(state: MasterState): Promise<string> {
  return new TextDecoder().decode(await encodeState({ revision: 0, state }));
}

/**
 * Reads an export, a copied state file, or the state file of a Go master: the content says which.
 *
 * @param random makes what a Go master did not have
 * @throws {NodePassError} `not_supported` for one of a later version; `corrupt`, `limit`
 */
export async function importState(path: string, bytes: Uint8Array, random: Random): Promise<ImportedState> {
  try {
    const text = trimmed(bytes);
    if (text.length > 0 && text[0] !== BRACE) return fromGoState(bytes, random);
    return { state: (await decodeState(text)).state, newKey: false, changes: [] };
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
