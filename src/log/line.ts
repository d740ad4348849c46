/**
 * The two forms of a log line.
 *
 * @module
 */
import { cutValue, escapeValue, printableJson, quoteValue } from "./escape.ts";
import type { LineLevel, LogFields } from "./types.ts";

/** One event before it is written. */
export interface LogRecord {
  /** Milliseconds since the epoch. */
  readonly wall: number;
  readonly level: LineLevel;
  readonly message: string;
  /** Of the logger (`with`). */
  readonly bound: LogFields;
  /** Of the line. */
  readonly fields: LogFields | undefined;
}

/** ANSI colours, those of the Go program where it has one for the level. */
const COLOR: Readonly<Record<LineLevel, string>> = {
  debug: "\x1b[34m",
  info: "\x1b[32m",
  warn: "\x1b[33m",
  error: "\x1b[31m",
  event: "\x1b[35m",
};
const RESET = "\x1b[0m";

/** Names that only the JSON form shows: a text log belongs to one instance, and its reader reads on. */
const JSON_ONLY: ReadonlySet<string> = new Set(["instance", "session"]);
const RESERVED: ReadonlySet<string> = new Set(["time", "level", "message"]);

/** `2006-01-02 15:04:05.000  LEVEL  message key=value`, local time, without a newline. */
export function textLine(record: LogRecord, color: boolean): string {
  const name = record.level.toUpperCase();
  const level = color ? COLOR[record.level] + name + RESET : name;
  let line = `${localTime(record.wall)}  ${level}  ${escapeValue(record.message)}`;
  for (const [key, value] of entries(record)) {
    if (!JSON_ONLY.has(key)) line += ` ${key.replace(/[^A-Za-z0-9_.-]/g, "_")}=${quoteValue(String(value))}`;
  }
  return line;
}

/** One JSON object with `time`, `level`, `message` and the fields, without a newline. */
export function jsonLine(record: LogRecord): string {
  const out: Record<string, unknown> = {
    time: localTime(record.wall),
    level: record.level.toUpperCase(),
    message: cutValue(record.message),
  };
  for (const [key, value] of entries(record)) {
    if (!RESERVED.has(key)) define(out, key, jsonValue(value));
  }
  return printableJson(out);
}

/** `2006-01-02 15:04:05.000` in the local time zone. */
export function localTime(wall: number): string {
  const date = new Date(wall);
  return `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)} ` +
    `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}.${
      pad(date.getMilliseconds(), 3)
    }`;
}

/** Bound fields first; a field of the line replaces a bound one of the same name. */
function entries(record: LogRecord): [string, NonNullable<LogFields[string]> | null][] {
  const merged = Object.entries({ ...record.bound, ...record.fields });
  return merged.filter((entry): entry is [string, NonNullable<LogFields[string]> | null] => entry[1] !== undefined);
}

function jsonValue(value: LogFields[string]): unknown {
  if (typeof value === "string") return cutValue(value);
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** Assignment would call the setter of `__proto__`. */
function define(out: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
