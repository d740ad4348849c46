/**
 * The port for a database: one way to write SQL for SQLite and PostgreSQL.
 *
 * Placeholders are `$1`..`$n` in both. Every integer that is read is a bigint, in both; {@linkcode num} makes a number of
 * an id, a time or a flag. Booleans are the integers 0 and 1, JSON is text, times are milliseconds since the epoch in
 * UTC, a missing `subscription_id` in usage rows is 0.
 *
 * @module
 */

/** One value that goes in. */
export type Scalar = string | number | bigint | Uint8Array | null;

/** A value of a placeholder; an array is for `unnest($1::bigint[])`, which only PostgreSQL has. */
export type Param = Scalar | readonly (string | number | bigint | null)[];

/** One row that comes out: integers are bigint, fractions number, bytes `Uint8Array`. */
export type Row = Readonly<Record<string, string | number | bigint | Uint8Array | null>>;

/**
 * A database, or one transaction of it.
 *
 * Everything rejects with a `Failure`: `STORE_UNAVAILABLE` when the database is down, busy or full (nothing was
 * changed), `CONFLICT` when a unique or foreign key refuses it, `INTERNAL` for anything else.
 */
export interface Database {
  /** Where the SQL has to differ. */
  readonly dialect: "sqlite" | "postgres";
  /** Rows of a `SELECT`, or of a change with `RETURNING`. */
  query<T extends object = Row>(sql: string, params?: readonly Param[]): Promise<T[]>;
  /** Runs one change; the number of rows that it changed. */
  exec(sql: string, params?: readonly Param[]): Promise<number>;
  /**
   * Runs one change once per row of parameters, in this order and as one transaction; the number of rows that changed.
   * The fast way on SQLite (one prepared statement); on PostgreSQL prefer one statement over `unnest`.
   */
  execMany(sql: string, rows: readonly (readonly Param[])[]): Promise<number>;
  /**
   * Runs all of `run` or nothing of it. `run` must use `tx` alone (the database itself would wait for its end), and may be
   * called again from its start when PostgreSQL asks for a retry: what it does besides SQL must bear that.
   * On a transaction itself it runs inside the same one.
   */
  transaction<T>(run: (tx: Database) => Promise<T>): Promise<T>;
  /** Whether it answers now. Never rejects. */
  healthy(): Promise<boolean>;
  /** Ends what runs and lets go. Idempotent; a transaction has nothing to close. */
  close(): Promise<void>;
}

/** The largest integer that a column holds: sums stop here, they never wrap. */
export const MAX_INT64 = 9_223_372_036_854_775_807n;

/**
 * SQL for `a + b` that stops at the largest integer instead of overflowing. Both are at least 0.
 *
 * @param a a column or expression, for example `usage_minutes.bytes_up`
 * @param b the same, for example `excluded.bytes_up`
 */
export function clampedSum(a: string, b: string): string {
  return `CASE WHEN ${a} > ${MAX_INT64} - ${b} THEN ${MAX_INT64} ELSE ${a} + ${b} END`;
}

/**
 * SQL for `id` being one of many: the condition to write behind the column, and the value of its placeholder.
 *
 * @param place the number of the placeholder
 *
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 *
 * const { among, param } = idsAmong({ dialect: "sqlite" }, 1, [7, 8]);
 * equal(`SELECT * FROM nodes WHERE id ${among}`, "SELECT * FROM nodes WHERE id IN (SELECT value FROM json_each($1))");
 * equal(param, "[7,8]");
 * ```
 */
export function idsAmong(
  { dialect }: Pick<Database, "dialect">,
  place: number,
  ids: readonly number[],
): { readonly among: string; readonly param: Param } {
  if (dialect === "postgres") return { among: `= ANY ($${place}::bigint[])`, param: ids };
  return { among: `IN (SELECT value FROM json_each($${place}))`, param: JSON.stringify(ids) };
}

/** An id, a time, a count or a flag as a number; fails for what a number cannot hold exactly. */
export function num(value: unknown): number {
  const number = Number(value);
  if (value === null || !Number.isSafeInteger(number)) throw new RangeError(`Not a safe integer: ${String(value)}`);
  return number;
}

/** The same for a column that may be empty. */
export function numOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : num(value);
}
