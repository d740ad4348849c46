/**
 * A logger for lines that a stranger can cause: bounded in lines per second.
 *
 * @module
 */
import type { LineLevel, LogFields, Logger } from "./types.ts";

/** A logger that leaves lines out when they come too fast. */
export interface LimitedLogger extends Logger {
  /** Writes the pending count of left-out lines, if any and if the limit allows: for the report interval and for close. */
  flush(): void;
}

/**
 * Wraps `logger` so that any interval of one second sees at most `perSecond` lines. How many were left out is said in a
 * line of its own (which counts) before the next line that gets through. Loggers made by `with` share the limit.
 *
 * @param logger where the lines go
 * @param perSecond lines per second, at least 2
 * @param now milliseconds of a clock that never jumps
 */
export function limited(logger: Logger, perSecond: number, now: () => number): LimitedLogger {
  return new Limited(logger, new Allowance(logger, Math.max(2, Math.floor(perSecond)), now));
}

/** The times of the last lines, in a ring. */
class Allowance {
  readonly #logger: Logger;
  readonly #times: Float64Array;
  readonly #now: () => number;
  #next = 0;
  #leftOut = 0;

  constructor(logger: Logger, perSecond: number, now: () => number) {
    this.#logger = logger;
    this.#times = new Float64Array(perSecond).fill(-Infinity);
    this.#now = now;
  }

  /** Whether one more line may be written; writes the summary first when one is due. */
  take(): boolean {
    const now = this.#now();
    const needed = this.#leftOut > 0 ? 2 : 1;
    if (!this.#free(needed, now)) {
      this.#leftOut++;
      return false;
    }
    this.#summary(now);
    this.#use(now);
    return true;
  }

  flush(): void {
    const now = this.#now();
    if (this.#free(1, now)) this.#summary(now);
  }

  #summary(now: number): void {
    if (this.#leftOut === 0) return;
    const lines = this.#leftOut;
    this.#leftOut = 0;
    this.#use(now);
    this.#logger.warn("Lines left out: too many in one second", { lines });
  }

  #free(count: number, now: number): boolean {
    return now - this.#times[(this.#next + count - 1) % this.#times.length]! >= 1000;
  }

  #use(now: number): void {
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % this.#times.length;
  }
}

class Limited implements LimitedLogger {
  readonly #logger: Logger;
  readonly #allowance: Allowance;

  constructor(logger: Logger, allowance: Allowance) {
    this.#logger = logger;
    this.#allowance = allowance;
  }

  debug(message: string, fields?: LogFields): void {
    if (this.#may("debug")) this.#logger.debug(message, fields);
  }

  info(message: string, fields?: LogFields): void {
    if (this.#may("info")) this.#logger.info(message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    if (this.#may("warn")) this.#logger.warn(message, fields);
  }

  error(message: string, fields?: LogFields): void {
    if (this.#may("error")) this.#logger.error(message, fields);
  }

  event(message: string, fields?: LogFields): void {
    if (this.#may("event")) this.#logger.event(message, fields);
  }

  enabled(level: LineLevel): boolean {
    return this.#logger.enabled(level);
  }

  with(fields: LogFields): LimitedLogger {
    return new Limited(this.#logger.with(fields), this.#allowance);
  }

  flush(): void {
    this.#allowance.flush();
  }

  #may(level: LineLevel): boolean {
    return this.#logger.enabled(level) && this.#allowance.take();
  }
}
