/**
 * The log of a worker: its lines are written by the main thread.
 *
 * @module
 */
import type { LineLevel, LogFields, Logger } from "../../log/types.ts";

/** Takes one line. */
export type TakeLine = (level: LineLevel, message: string, fields: LogFields) => void;

/** Every level, for those who ask which are written. */
export const LINE_LEVELS: readonly LineLevel[] = ["debug", "info", "warn", "error", "event"];

/** Hands over the lines that would be written. */
export class ForwardingLogger implements Logger {
  readonly #levels: readonly LineLevel[];
  readonly #take: TakeLine;
  readonly #fields: LogFields;

  constructor(levels: readonly LineLevel[], take: TakeLine, fields: LogFields = {}) {
    this.#levels = levels;
    this.#take = take;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#line("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#line("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#line("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#line("error", message, fields);
  }

  event(message: string, fields?: LogFields): void {
    this.#line("event", message, fields);
  }

  enabled(level: LineLevel): boolean {
    return this.#levels.includes(level);
  }

  with(fields: LogFields): Logger {
    return new ForwardingLogger(this.#levels, this.#take, { ...this.#fields, ...fields });
  }

  #line(level: LineLevel, message: string, fields: LogFields = {}): void {
    if (this.enabled(level)) this.#take(level, message, { ...this.#fields, ...fields });
  }
}
