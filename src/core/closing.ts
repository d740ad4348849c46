/**
 * What was started, and ends in the opposite order.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import type { Logger } from "../log/types.ts";

/** Things to end. */
export class Closing {
  readonly #logger: Logger;
  readonly #steps: { readonly name: string; readonly close: () => unknown }[] = [];
  #done: Promise<void> | null = null;

  /** Nothing to end yet. */
  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** `close` runs before those that were added earlier; what it throws is logged. */
  add(name: string, close: () => unknown): void {
    this.#steps.push({ name, close });
  }

  /** Ends everything, one after the other. Idempotent. */
  run(): Promise<void> {
    return this.#done ??= this.#run();
  }

  async #run(): Promise<void> {
    for (const { name, close } of this.#steps.reverse()) {
      try {
        await close();
      } catch (error) {
        this.#logger.error("A part of Core did not end as it should", { part: name, reason: messageOf(error) });
      }
    }
  }
}
