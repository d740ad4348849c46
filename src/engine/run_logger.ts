/**
 * The log of one run: lines for its owner, without the records that travel on their own.
 *
 * @module
 */
import type { LogLevel } from "../log/types.ts";
import { limited, type LimitedLogger } from "../log/limited.ts";
import { createLogger } from "../log/logger.ts";
import type { Logger } from "../log/types.ts";
import type { Clock } from "../runtime/types.ts";

/** Lines of one run: at level debug, a busy one would keep its owner from everything else. */
const LINES_PER_SECOND = 200;
/** Longer lines are cut. */
const LONGEST_LINE = 16_384;

/** A logger whose lines go to `write`. */
export function runLogger(level: LogLevel, clock: Clock, write: (line: string) => void): LimitedLogger {
  const logger = createLogger({
    level,
    format: "text",
    color: false,
    write: (line) => write(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE - 1)}…` : line),
    wall: () => clock.wall(),
  });
  return limited(new WithoutEvents(logger), LINES_PER_SECOND, () => clock.now());
}

/** Checkpoints are reports of their own. */
class WithoutEvents implements Logger {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  debug(...line: Parameters<Logger["debug"]>): void {
    this.#logger.debug(...line);
  }

  info(...line: Parameters<Logger["info"]>): void {
    this.#logger.info(...line);
  }

  warn(...line: Parameters<Logger["warn"]>): void {
    this.#logger.warn(...line);
  }

  error(...line: Parameters<Logger["error"]>): void {
    this.#logger.error(...line);
  }

  event(): void {}

  enabled(level: Parameters<Logger["enabled"]>[0]): boolean {
    return level !== "event" && this.#logger.enabled(level);
  }

  with(fields: Parameters<Logger["with"]>[0]): Logger {
    return new WithoutEvents(this.#logger.with(fields));
  }
}
