/**
 * Sums of bytes that stay exact.
 *
 * @module
 */
import { type Database, MAX_INT64 } from "../store/database.ts";

/** Bytes: a number while it is exact, else a bigint; never more than a column holds. */
export type Amount = number | bigint;

/** A multiplier of 1, in millionths. */
export const ONE_PPM = 1_000_000;

/** The sum of both. */
export function plus(a: Amount, b: Amount): Amount {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (sum <= Number.MAX_SAFE_INTEGER) return sum;
  }
  return clamped(BigInt(a) + BigInt(b));
}

/** What a subscription is charged for these bytes. */
export function charged(bytes: number, ppm: number): Amount {
  if (ppm === ONE_PPM) return bytes;
  const product = bytes * ppm;
  if (product <= Number.MAX_SAFE_INTEGER) return Math.floor(product / ONE_PPM);
  return narrowed(clamped(BigInt(bytes) * BigInt(ppm) / BigInt(ONE_PPM)));
}

/** For JSON: a number where that is exact, else its digits. */
export function shown(amount: Amount): number | string {
  return typeof amount === "number" ? amount : String(amount);
}

/** SQL for the sum of a column, which stops at the largest integer; null for no rows. */
export function summed(dialect: Database["dialect"], column: string): string {
  if (dialect === "postgres") return `LEAST(SUM(${column}), ${MAX_INT64})::bigint`;
  // SQLite fails where a sum overflows: both halves of the numbers are added up for themselves.
  const [high, low] = [`SUM(${column} >> 32)`, `SUM(${column} & 4294967295)`];
  return `CASE WHEN ${high} + (${low} >> 32) > 2147483647 THEN ${MAX_INT64} ELSE (${high} << 32) + ${low} END`;
}

function clamped(amount: bigint): bigint {
  return amount > MAX_INT64 ? MAX_INT64 : amount;
}

function narrowed(amount: bigint): Amount {
  return amount <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(amount) : amount;
}
