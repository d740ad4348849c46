/**
 * One connection to a SQLite file and its prepared statements.
 *
 * @module
 */
// Neither runtime has a web API for a database.
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { Param } from "./database.ts";

/** Statements that are kept prepared; text that is put together anew each time must not fill the memory. */
const MOST_STATEMENTS = 512;

/** How a connection is opened. */
export interface ConnectionOptions {
  /** Empty: memory. */
  readonly path: string;
  readonly readOnly: boolean;
  /** How long another program may hold the file. */
  readonly busyMs: number;
}

/** A connection; everything is synchronous and throws the runtime's own errors. */
export class SqliteConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens the file. */
  constructor({ path, readOnly, busyMs }: ConnectionOptions) {
    this.#database = new DatabaseSync(path === "" ? ":memory:" : path, {
      readOnly,
      enableForeignKeyConstraints: true,
      timeout: busyMs,
      readBigInts: true,
    });
  }

  /** Whether a transaction is open. */
  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Runs one statement without parameters and results. Prepared: Deno's `exec` gives its errors no number. */
  run(sql: string): void {
    this.#statement(sql).run();
  }

  /** Rows of a statement. */
  all(sql: string, params: readonly Param[]): unknown[] {
    return this.#statement(sql).all(...params.map(inputOf));
  }

  /** Rows that a change changed. */
  change(sql: string, params: readonly Param[]): number {
    return Number(this.#statement(sql).run(...params.map(inputOf)).changes);
  }

  /** The same once per row of parameters. */
  changeMany(sql: string, rows: readonly (readonly Param[])[]): number {
    const statement = this.#statement(sql);
    let changes = 0;
    for (const row of rows) changes += Number(statement.run(...row.map(inputOf)).changes);
    return changes;
  }

  /** Closes it. */
  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(inDialect(sql));
    if (this.#statements.size >= MOST_STATEMENTS) {
      const [oldest] = this.#statements.keys();
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** `$1` is a name in SQLite and `?1` a position; there is one writer, so that no row has to be locked. */
function inDialect(sql: string): string {
  return sql
    .replace(/'[^']*'|\$(\d+)/g, (text, index) => index === undefined ? text : `?${index}`)
    .replace(/\s+FOR UPDATE(?:\s+SKIP LOCKED)?\s*$/i, "");
}

/** Numbers go in as fractions: whole ones have to be bigint to stay whole in expressions. */
function inputOf(value: Param): SQLInputValue {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  if (value !== null && typeof value === "object" && !(value instanceof Uint8Array)) {
    throw new TypeError("SQLite takes no arrays");
  }
  return value;
}
