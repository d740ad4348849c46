/**
 * Durations in Go's style: `90s`, `5m`, `1h30m`, `500ms`.
 *
 * @module
 */

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  "μs": 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Longest duration: what a platform timer can wait for (2^31 - 1 ms, about 24 days). */
export const maxDurationMs = 2_147_483_647;

/** Longest lifetime: a hundred years of 365 days. */
export const maxLifetimeMs: number = 36_500 * 86_400_000;

/**
 * Milliseconds of a duration, or null when it is none. A bare number is seconds; less than a millisecond rounds up to
 * one, so that a small limit never becomes "off".
 */
export function parseDuration(text: string): number | null {
  if (/^\d+(\.\d+)?$/.test(text)) return whole(Number(text) * 1000, maxDurationMs);
  // Go has no days.
  return text.includes("d") ? null : whole(sum(text), maxDurationMs);
}

/**
 * Milliseconds of how long something is valid, or null: a duration with a unit, days (`30d`) too. No timer waits for it,
 * so it may be as long as {@linkcode maxLifetimeMs}.
 */
export function parseLifetime(text: string): number | null {
  return whole(sum(text), maxLifetimeMs);
}

/** NaN for what is not a row of numbers with units. */
function sum(text: string): number {
  if (!/^((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d))+$/.test(text)) return NaN;
  let total = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)/g)) {
    total += Number(digits) * (unitMs[unit ?? ""] ?? NaN);
  }
  return total;
}

function whole(ms: number, maxMs: number): number | null {
  if (!Number.isFinite(ms) || ms > maxMs) return null;
  return ms > 0 && ms < 1 ? 1 : Math.round(ms);
}

/** The shortest text that {@linkcode parseDuration} reads as `ms`: `1h30m`, `500ms`, `0`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0";
  let rest = ms;
  let text = "";
  for (const [unit, size] of [["h", 3_600_000], ["m", 60_000], ["s", 1000], ["ms", 1]] as const) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

/** As Go writes a duration, with every unit below the largest: `5m0s`, `1h0m0s`, `500ms`, `0s`. */
export function formatGoDuration(ms: number): string {
  if (ms > 0 && ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = `${(ms % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
