/**
 * Runs of many instances in one thread, as their owner commands.
 *
 * @module
 */
import type { EngineCommand } from "../report/messages.ts";
import { Run } from "./run.ts";
import type { EngineParts } from "./types.ts";

/** See the module. */
export class EngineHost {
  readonly #parts: EngineParts;
  readonly #runs = new Map<string, Run>();
  #closing: Promise<void> | null = null;

  constructor(parts: EngineParts) {
    // A thread of its own for each of many instances would be no gain.
    this.#parts = { ...parts, settings: { ...parts.settings, workers: 1 } };
  }

  /** Does what it is told; what comes of it is reported. Never throws. */
  command(command: EngineCommand): void {
    switch (command.kind) {
      case "start":
        return this.#start(command);
      case "stop":
        return this.#runs.get(command.run)?.stop(command.graceMs);
      case "sessions": {
        const sessions = this.#runs.get(command.run)?.sessions() ?? [];
        return this.#parts.report({ kind: "sessions", request: command.request, sessions });
      }
      case "end_session": {
        const found = this.#runs.get(command.run)?.endSession(command.session) ?? false;
        return this.#parts.report({ kind: "session_ended", request: command.request, found });
      }
      case "reload":
        for (const run of this.#runs.values()) void run.reload();
        return;
    }
  }

  /** Nothing listens from now on; resolves when the last session has ended or was cut. Idempotent. */
  close(graceMs: number): Promise<void> {
    if (this.#closing !== null && graceMs === 0) this.#stopAll(0);
    return this.#closing ??= this.#close(graceMs);
  }

  #start(command: Extract<EngineCommand, { kind: "start" }>): void {
    if (this.#closing !== null || this.#runs.has(command.run)) return;
    const run = new Run(command, this.#parts);
    this.#runs.set(run.name, run);
    void run.finished.then(() => this.#runs.delete(run.name));
  }

  #stopAll(graceMs: number): void {
    for (const run of this.#runs.values()) run.stop(graceMs);
  }

  async #close(graceMs: number): Promise<void> {
    this.#stopAll(graceMs);
    await Promise.all([...this.#runs.values()].map((run) => run.finished));
  }
}
