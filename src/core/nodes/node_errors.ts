/**
 * What nodes say went wrong: the latest of each, one a second.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import type { Timer } from "../../runtime/types.ts";
import type { NodeError } from "../contract/types.ts";
import type { CoreParts } from "../parts.ts";

/** The shortest pause between two reports of a node that are written. */
export const PAUSE_MS = 1_000;

/** What this needs of Core. */
export type NodeErrorParts = Pick<CoreParts, "runtime" | "logger" | "db" | "events">;

/** One node that reported lately. */
interface Pause {
  readonly timer: Timer;
  /** What came meanwhile: the latest. */
  waiting: NodeError | null;
  /** How many came. */
  waitingCount: number;
}

/** Writes what went wrong on nodes. */
export class NodeErrors {
  readonly #parts: NodeErrorParts;
  /** Marks the synchronisation of a node as failed. */
  readonly #failed: (nodeId: number) => Promise<void>;
  readonly #pauses = new Map<number, Pause>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: NodeErrorParts, failed: (nodeId: number) => Promise<void>) {
    this.#parts = parts;
    this.#failed = failed;
  }

  /** Writes it, or notes it for the end of the pause that its node has to keep. */
  async report(nodeId: number, error: NodeError): Promise<void> {
    const pause = this.#pauses.get(nodeId);
    if (pause !== undefined) {
      pause.waiting = error;
      pause.waitingCount++;
      return;
    }
    this.#pause(nodeId);
    await this.#write(nodeId, error, 1);
  }

  /** Writes what waits. Idempotent. */
  async close(): Promise<void> {
    for (const nodeId of [...this.#pauses.keys()]) this.#end(nodeId, false);
    await Promise.all(this.#underWay);
  }

  #pause(nodeId: number): void {
    const timer = this.#parts.runtime.clock.after(PAUSE_MS, () => this.#end(nodeId, true));
    this.#pauses.set(nodeId, { timer, waiting: null, waitingCount: 0 });
  }

  #end(nodeId: number, goOn: boolean): void {
    const pause = this.#pauses.get(nodeId);
    pause?.timer.cancel();
    this.#pauses.delete(nodeId);
    if (pause === undefined || pause.waiting === null) return;
    if (goOn) this.#pause(nodeId);
    const writing = this.#write(nodeId, pause.waiting, pause.waitingCount)
      .catch((reason) =>
        this.#parts.logger.error("An error of a node was not written", { node: nodeId, reason: messageOf(reason) })
      )
      .finally(() => this.#underWay.delete(writing));
    this.#underWay.add(writing);
  }

  async #write(nodeId: number, { message, code, details }: NodeError, count: number): Promise<void> {
    const { db, events, runtime: { clock } } = this.#parts;
    const text = escapeControls(message);
    const at = Math.floor(clock.wall());
    await this.#failed(nodeId);
    await db.transaction(async (tx) => {
      const changed = await tx.exec(
        `UPDATE nodes SET status = 'error', error_from_sync = 1, last_error_code = $2, last_error_message = $3,
           last_error_details = $4, last_error_at = $5, updated_at = $5
         WHERE id = $1 AND status NOT IN ('pending', 'disabled')`,
        [
          nodeId,
          code === undefined ? null : escapeControls(code),
          text,
          details === undefined ? null : JSON.stringify(details),
          at,
        ],
      );
      if (changed === 0) return;
      await events.emit(tx, {
        type: "node.error",
        nodeId,
        data: { message: text, code: code ?? null, details: details ?? null, count },
      });
    });
  }
}

/** Text that can be shown on a terminal: control characters as escapes. */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\r") return "\\r";
    if (character === "\t") return "\\t";
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
