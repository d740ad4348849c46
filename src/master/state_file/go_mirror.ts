/**
 * A copy of the state in the place where scripts of a Go master look for its API key.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import type { Logger } from "../../log/types.ts";
import type { Files } from "../../runtime/types.ts";
import { toGoState } from "../gob/go_state.ts";
import { STATE_MODE } from "./recovery.ts";
import type { StateStore } from "./types.ts";

/** Options of {@linkcode mirrored}. */
export interface GoMirrorOptions {
  readonly files: Files;
  /** Path of the copy. */
  readonly path: string;
  /** Keep what is there under another name: a Go master wrote it. */
  readonly keep: boolean;
  readonly logger: Logger;
}

/** A store that writes the copy with its first save and whenever the API key is another one. */
export function mirrored(store: StateStore, { files, path, keep, logger }: GoMirrorOptions): StateStore {
  let written = "";
  return {
    initial: store.initial,
    close: () => store.close(),
    async save(state, options) {
      await store.save(state, options);
      if (state.apiKey === written) return;
      try {
        if (written === "" && keep && await files.exists(path)) await files.rename(path, `${path}.before`);
        written = state.apiKey;
        await files.writeAtomically(path, toGoState(state).bytes, { mode: STATE_MODE });
      } catch (error) {
        // The state itself is safe.
        logger.warn("The state could not be copied for scripts of a Go master", { error: messageOf(error) });
      }
    },
  };
}
