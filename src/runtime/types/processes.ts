/**
 * The port for other processes.
 *
 * @module
 */
import type { NodePassError } from "../../errors.ts";

/** How a process that was started ended. */
export interface ChildExit {
  /** Null when a signal ended it, or when it never ran. */
  readonly code: number | null;
  /** The signal that ended it. */
  readonly signal: string | null;
  /** Why it could not be started. */
  readonly error: NodePassError | null;
}

/** A process that this program started. Its standard streams are pipes; output that nobody takes is dropped. */
export interface ChildProcess {
  /** Its number; null when it could not be started. */
  readonly pid: number | null;
  /** Resolves once it is gone and its output was delivered. Never rejects. */
  readonly exited: Promise<ChildExit>;
  /**
   * Writes to its standard input, in order. Resolves when there is room for more: waiting for it bounds the memory.
   * Never rejects: what a process that is gone is told is lost.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends its standard input after what was written. Idempotent. */
  endInput(): void;
  /** Gives its standard output to `take`, one handler in all; bytes are the handler's. */
  onOutput(take: (bytes: Uint8Array) => void): void;
  /** Gives its standard error to `take`, one handler in all; bytes are the handler's. */
  onErrorOutput(take: (bytes: Uint8Array) => void): void;
  /** Ends it. Nothing happens once it is gone. @default "SIGKILL" */
  kill(signal?: "SIGTERM" | "SIGKILL"): void;
}

/** Options of `Processes.spawn`. */
export interface SpawnOptions {
  /** Path or name of the program. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Variables on top of this program's own environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** Other processes. */
export interface Processes {
  /** Starts a program. A failure shows in `exited`. */
  spawn(options: SpawnOptions): ChildProcess;
}
