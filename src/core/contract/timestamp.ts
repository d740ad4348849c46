/**
 * Points in time as text: ISO-8601 with `Z` or an offset.
 *
 * @module
 */

const FORM = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** UTC milliseconds of a timestamp (finer fractions are cut), or null where it is none or names no real moment. */
export function parseTimestamp(text: string): number | null {
  const parts = FORM.exec(text);
  if (parts === null) return null;
  const year = Number(parts[1]);
  const month = Number(parts[2]);
  const day = Number(parts[3]);
  const hour = Number(parts[4]);
  const minute = Number(parts[5]);
  const second = Number(parts[6]);
  if (hour > 23 || minute > 59 || second > 59) return null;
  const fraction = parts[7] === undefined ? 0 : Number(parts[7].padEnd(3, "0").slice(0, 3));
  const date = new Date(0);
  // Not Date.UTC: it takes the years 0 to 99 for those of the twentieth century.
  date.setUTCFullYear(year, month - 1, day);
  // A day that the month does not have would become one of the next month.
  if (month < 1 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  date.setUTCHours(hour, minute, second, fraction);
  if (parts[8] === undefined) return date.getTime();
  const offsetHours = Number(parts[9]);
  const offsetMinutes = Number(parts[10]);
  if (offsetHours > 23 || offsetMinutes > 59) return null;
  return date.getTime() - offsetMs(parts[8], offsetHours, offsetMinutes);
}

function offsetMs(sign: string, hours: number, minutes: number): number {
  const size = (hours * 60 + minutes) * 60_000;
  return sign === "-" ? -size : size;
}
