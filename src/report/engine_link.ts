/**
 * What an engine looks like to its owner, wherever it runs.
 *
 * @module
 */
import type { EngineCommand, EngineReport } from "./messages.ts";

/** One engine: a process, or a part of this one. */
export interface EngineLink {
  /** Its process; null when it lives in this one. */
  readonly pid: number | null;
  /** Resolves with the reason once it is gone, however it went. Never rejects. */
  readonly ended: Promise<string>;
  /** Tells it something; nothing happens once it is gone. */
  send(command: EngineCommand): void;
  /** No more commands: it closes its listeners, drains for as long as it was told at its start, and goes. Idempotent. */
  end(): void;
  /** Ends it at once. Idempotent. */
  kill(): void;
}

/** Starts an engine; every report that it makes goes to `onReport`. */
export type StartEngine = (onReport: (report: EngineReport) => void) => EngineLink;
