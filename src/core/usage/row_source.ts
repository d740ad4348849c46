/**
 * Many rows as the parameters of one statement.
 *
 * @module
 */
import type { Database, Param } from "../store/database.ts";

/** One value of a row. */
export type Cell = string | number | bigint;

/** Rows that a statement reads like a table. */
export interface RowSource {
  /** What stands behind `FROM`; the rows are called `t`. */
  readonly sql: string;
  readonly params: readonly Param[];
  /** The number of the first placeholder that is free. */
  readonly next: number;
}

/** Columns and their types, in the order of the cells. */
export type RowColumns = Readonly<Record<string, "bigint" | "text">>;

/**
 * Rows for `FROM`, one statement for all of them on both databases: arrays on PostgreSQL, one JSON text on SQLite.
 *
 * @param first the number of its first placeholder
 */
export function rowSource(
  { dialect }: Pick<Database, "dialect">,
  columns: RowColumns,
  rows: readonly (readonly Cell[])[],
  first: number = 1,
): RowSource {
  const names = Object.keys(columns);
  if (dialect === "sqlite") {
    const cells = names.map((name, at) => `value ->> ${at} AS ${name}`).join(", ");
    return { sql: `(SELECT ${cells} FROM json_each($${first})) AS t`, params: [jsonOf(rows)], next: first + 1 };
  }
  const arrays = names.map((name, at) => `$${first + at}::${columns[name]}[]`).join(", ");
  return {
    sql: `unnest(${arrays}) AS t (${names.join(", ")})`,
    params: names.map((_, at) => rows.map((row) => row[at] ?? null)),
    next: first + names.length,
  };
}

function jsonOf(rows: readonly (readonly Cell[])[]): string {
  return `[${rows.map((row) => `[${row.map(cellOf).join()}]`).join()}]`;
}

function cellOf(cell: Cell): string {
  return typeof cell === "string" ? JSON.stringify(cell) : String(cell);
}
