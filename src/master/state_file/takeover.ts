/**
 * The first start of a master where a Go master was before: its state is taken over.
 *
 * @module
 */
import { messageOf, NodePassError } from "../../errors.ts";
import type { Logger } from "../../log/types.ts";
import type { Runtime } from "../../runtime/types.ts";
import type { ImportedState } from "../gob/go_state.ts";
import { goStateFiles } from "./places.ts";
import { importState, MAX_IMPORT_BYTES } from "./transfer.ts";

/** Where a Go master may have been. */
export interface TakeoverOptions {
  readonly runtime: Pick<Runtime, "files" | "process" | "random">;
  /** Folder of the state file; there is none in it. */
  readonly directory: string;
  readonly logger: Logger;
}

/** The state of a Go master. */
export interface Takeover extends ImportedState {
  readonly path: string;
}

/**
 * Reads the state of a Go master, or its backup where that is damaged. Null: there is none, or nothing of it may be read.
 * Changes nothing.
 *
 * @throws {NodePassError} code `corrupt`: it is there and no copy of it can be read. Its owner must not find a master
 *   without instances and with another key.
 */
export async function takeOver({ runtime, directory, logger }: TakeoverOptions): Promise<Takeover | null> {
  const paths = await goStateFiles(runtime, directory);
  const damaged: string[] = [];
  for (const path of paths) {
    try {
      const bytes = await runtime.files.readBytes(path, MAX_IMPORT_BYTES);
      const imported = await importState(path, bytes, runtime.random);
      if (damaged.length > 0) logger.warn("A copy of a Go master's state is damaged", { reason: damaged.join("; ") });
      return { ...imported, path };
    } catch (error) {
      if (!(error instanceof NodePassError)) throw error;
      if (error.code === "not_found") continue;
      if (error.code === "permission_denied") {
        logger.warn("The state of a Go master is left alone", { reason: messageOf(error) });
        return null;
      }
      damaged.push(messageOf(error));
    }
  }
  if (damaged.length === 0) return null;
  throw new NodePassError(
    "corrupt",
    `Cannot take over the state of a Go master: no copy is valid\n${damaged.join("\n")}\n` +
      "Put a good copy in their place, or move these files away to begin anew",
  );
}
