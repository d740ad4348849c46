/**
 * Numbers and addresses as people read them.
 *
 * @module
 */

const UNITS: readonly string[] = ["B", "KB", "MB", "GB", "TB", "PB"];

/** Bytes with three digits that count: "1.23 MB". */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Bytes per second, or "idle". */
export function formatRate(bytesPerSecond: number): string {
  return bytesPerSecond < 0.5 ? "idle" : `${formatBytes(bytesPerSecond)}/s`;
}

/** Two rates in two lines: one word when nothing moves. */
export function formatRates(
  rx: number,
  tx: number,
  words: readonly [string, string] = ["↓", "↑"],
): readonly [string, string] {
  if (rx < 0.5 && tx < 0.5) return ["idle", ""];
  return [`${words[0]} ${formatBytes(rx)}/s`, `${words[1]} ${formatBytes(tx)}/s`];
}

/** A time on the way in whole milliseconds. */
export function formatPing(ms: number): string {
  return ms < 1 ? "< 1 ms" : `${ms} ms`;
}

/** A span of time with its two largest units: "3 h 12 min". */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  if (minutes > 0) return `${minutes} min ${seconds % 60} s`;
  return `${seconds} s`;
}

/** "1 session", "3 sessions". */
export function plural(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

/** A part of a whole, in percent; 0 when there is no whole. */
export function percent(part: number, whole: number): number {
  return whole > 0 ? Math.min(100, Math.max(0, Math.round((part / whole) * 100))) : 0;
}
