/**
 * The copies of the state on disk, and which of them counts.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { Files } from "../../runtime/types.ts";
import { decodeState, type StateDocument } from "./document.ts";
import { BACKUP_FILE, PREVIOUS_FILE, STATE_FILE } from "./places.ts";

/** More is no state of ours. */
const MAX_STATE_BYTES = 256 * 1024 * 1024;

/** A file that holds a state. */
export interface ValidCopy {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly document: StateDocument;
}

/** A file that should hold one. */
export interface BadCopy {
  readonly path: string;
  readonly reason: NodePassError;
}

/** What is on disk. */
export interface Copies {
  /** The one that counts; null when there is no copy at all. */
  readonly newest: ValidCopy | null;
  /** Whether the one that counts is the state file itself. */
  readonly current: boolean;
  readonly bad: readonly BadCopy[];
}

/**
 * Reads all copies; changes nothing.
 *
 * The state file itself counts when it is valid, else the newest of the others.
 *
 * @throws {NodePassError} `corrupt`: there are copies and none is valid; `not_supported`: a later version wrote the
 *   state; `permission_denied`: the state file is somebody else's
 */
export async function readCopies(files: Files, directory: string): Promise<Copies> {
  const [current, ...others] = await Promise.all(
    [STATE_FILE, PREVIOUS_FILE, BACKUP_FILE].map((name) => readCopy(files, `${directory}/${name}`)),
  );
  const found = [current, ...others].filter((copy) => copy !== null && copy !== undefined);
  const bad = found.filter((copy) => "reason" in copy);
  const valid = found.filter((copy) => "document" in copy);
  const first = bad.find((copy) => copy === current);
  if (first !== undefined) refuseAlive(first);
  const newest = valid.find((copy) => copy === current) ??
    valid.reduce<ValidCopy | null>((best, copy) => revisionOf(copy) > revisionOf(best) ? copy : best, null);
  if (newest === null && bad.length > 0) throw noneValid(directory, bad);
  return { newest, current: newest !== null && newest === current, bad };
}

function revisionOf(copy: ValidCopy | null): number {
  return copy?.document.revision ?? -1;
}

async function readCopy(files: Files, path: string): Promise<ValidCopy | BadCopy | null> {
  try {
    const bytes = await files.readBytes(path, MAX_STATE_BYTES);
    return { path, bytes, document: await decodeState(bytes) };
  } catch (error) {
    if (!(error instanceof NodePassError)) throw error;
    return error.code === "not_found" ? null : { path, reason: error };
  }
}

/** A state that is probably fine must not be passed over for an older one. */
function refuseAlive({ path, reason }: BadCopy): void {
  if (reason.code !== "not_supported" && reason.code !== "permission_denied") return;
  throw new NodePassError(reason.code, `Cannot use the state in ${path}: ${lowerFirst(reason.message)}`, {
    cause: reason,
  });
}

function noneValid(directory: string, bad: readonly BadCopy[]): NodePassError {
  const lines = bad.map(({ path, reason }) => `${path}: ${lowerFirst(reason.message)}`);
  return new NodePassError(
    "corrupt",
    `Cannot use the state in ${directory}: no copy is valid\n${lines.join("\n")}\n` +
      `Put a good copy in place of ${STATE_FILE}, or move these files away to begin anew`,
  );
}

/** "It is empty" becomes the end of a sentence. */
export function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
