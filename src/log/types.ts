/**
 * What the rest of the product needs from a log.
 *
 * @module
 */

/** Lowest level that is written; `event` writes checkpoints and errors only, `none` nothing. */
export type LogLevel = "none" | "debug" | "info" | "warn" | "error" | "event";

/** Level of one line. */
export type LineLevel = "debug" | "info" | "warn" | "error" | "event";

/** Values that belong to a line. Secrets never go in. */
export type LogFields = Readonly<Record<string, string | number | boolean | bigint | null | undefined>>;

/** Writes lines: a constant message and its fields. */
export interface Logger {
  /** Details of single sessions and links. */
  debug(message: string, fields?: LogFields): void;
  /** What an operator wants to know. */
  info(message: string, fields?: LogFields): void;
  /** What works, but probably not as meant. */
  warn(message: string, fields?: LogFields): void;
  /** What does not work. */
  error(message: string, fields?: LogFields): void;
  /** Checkpoints and other lines that programs read. */
  event(message: string, fields?: LogFields): void;
  /** Whether a line of this level would be written: to skip building its fields. */
  enabled(level: LineLevel): boolean;
  /** The same log with these fields on every line (`instance`, `session`). */
  with(fields: LogFields): Logger;
}
