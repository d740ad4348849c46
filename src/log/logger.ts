/**
 * The logger: decides by level, formats, hands each line to one function.
 *
 * @module
 */
import { jsonLine, textLine } from "./line.ts";
import type { LineLevel, LogFields, Logger, LogLevel } from "./types.ts";

/** Options of {@linkcode createLogger}. */
export interface LoggerOptions {
  /** Lowest level that is written. */
  readonly level: LogLevel;
  /** One line of text or one JSON object per call. */
  readonly format: "text" | "json";
  /** ANSI colour on the level of text lines: for terminals only. */
  readonly color: boolean;
  /** Receives each line, without a newline at its end. */
  readonly write: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly wall: () => number;
}

/** Errors and events are one rank: whoever asks for checkpoints gets the errors too, and the reverse. */
const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, event: 3, none: 4 };

/**
 * A logger.
 *
 * Text: `2006-01-02 15:04:05.000  LEVEL  message key=value`. JSON: the same as one object, plus the bound fields
 * `instance` and `session`. Control characters, terminal sequences and bidi marks are escaped in both, values are cut at
 * 1,024 characters, and one call never makes more than one line.
 *
 * @example
 * ```ts ignore
 * const logger = createLogger({ level: "info", format: "text", color: false, write: console.log, wall: Date.now });
 * logger.info("Tunnel started", { address: "127.0.0.1:10101" });
 * // 2026-01-02 15:04:05.000  INFO  Tunnel started address=127.0.0.1:10101
 * ```
 */
export function createLogger(options: LoggerOptions): Logger {
  return new LineLogger(options, {});
}

class LineLogger implements Logger {
  readonly #options: LoggerOptions;
  readonly #bound: LogFields;
  readonly #rank: number;

  constructor(options: LoggerOptions, bound: LogFields) {
    this.#options = options;
    this.#bound = bound;
    this.#rank = RANK[options.level];
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
    return RANK[level] >= this.#rank;
  }

  with(fields: LogFields): Logger {
    return new LineLogger(this.#options, { ...this.#bound, ...fields });
  }

  #line(level: LineLevel, message: string, fields: LogFields | undefined): void {
    if (RANK[level] < this.#rank) return;
    const { format, color, wall, write } = this.#options;
    const record = { wall: wall(), level, message, bound: this.#bound, fields };
    write(format === "json" ? jsonLine(record) : textLine(record, color));
  }
}
