/**
 * Counters between two states: a small file of their own, written without waiting for the disk. The state file is never
 * replaced by bytes that the disk does not have yet.
 *
 * @module
 */
import { messageOf, NodePassError } from "../../errors.ts";
import type { Logger } from "../../log/types.ts";
import type { Counters } from "../../report/types.ts";
import type { Files } from "../../runtime/types.ts";
import type { StoredInstance } from "../instance.ts";
import { decodeCounters, encodeCounters, type StateDocument } from "./document.ts";
import { COUNTERS_FILE } from "./places.ts";
import { canonicalJson } from "./sealed.ts";
import type { MasterState } from "./types.ts";

const MAX_COUNTERS_BYTES = 64 * 1024 * 1024;
const COUNTERS_MODE = 0o600;

/** Writes the counters of a state whose other members are saved as `revision`. */
export async function saveCounters(
  files: Files,
  directory: string,
  { revision, state }: StateDocument,
): Promise<void> {
  const counters = Object.fromEntries(state.instances.map((instance) => [instance.id, instance.counters]));
  await files.writeAtomically(`${directory}/${COUNTERS_FILE}`, await encodeCounters({ revision, counters }), {
    mode: COUNTERS_MODE,
    sync: false,
  });
}

/** The state with the counters that were written after it. */
export async function newerCounters(
  { runtime: { files }, directory, logger }: {
    readonly runtime: { readonly files: Files };
    readonly directory: string;
    readonly logger: Logger;
  },
  { revision, state }: StateDocument,
): Promise<MasterState> {
  try {
    const bytes = await files.readBytes(`${directory}/${COUNTERS_FILE}`, MAX_COUNTERS_BYTES);
    const found = await decodeCounters(bytes);
    // Older ones are part of the state already, or were set to zero since.
    if (found.revision < revision) return state;
    return { ...state, instances: state.instances.map((instance) => counted(instance, found.counters[instance.id])) };
  } catch (error) {
    if (error instanceof NodePassError && error.code === "not_found") return state;
    logger.warn("Counters of the last minute are lost", { error: messageOf(error) });
    return state;
  }
}

function counted(instance: StoredInstance, counters: Counters | undefined): StoredInstance {
  return counters === undefined ? instance : { ...instance, counters };
}

/** Whether two states tell the same of everything but counters. */
export function sameButCounters(a: MasterState, b: MasterState): boolean {
  return a.masterId === b.masterId && a.alias === b.alias && a.apiKey === b.apiKey && a.run === b.run &&
    a.wire === b.wire && a.instances.length === b.instances.length &&
    a.instances.every((instance, index) => {
      const other = b.instances[index];
      return other !== undefined && sameInstance(instance, other);
    });
}

function sameInstance(a: StoredInstance, b: StoredInstance): boolean {
  return a === b ||
    a.id === b.id && a.alias === b.alias && a.url === b.url && a.restart === b.restart && a.wanted === b.wanted &&
      a.wire === b.wire &&
      (a.meta === b.meta || canonicalJson({ meta: { ...a.meta.peer }, tags: { ...a.meta.tags } }) ===
          canonicalJson({ meta: { ...b.meta.peer }, tags: { ...b.meta.tags } }));
}
