/**
 * One transaction on a connection of PostgreSQL.
 *
 * @module
 */
import type { Database, Param } from "./database.ts";
import { isDisconnected, postgresFailure } from "./postgres_errors.ts";
import { type PostgresSql, statements } from "./postgres_statements.ts";

/**
 * Runs `run` in a transaction: all of it or nothing.
 *
 * @throws what `run` threw, or the driver
 */
export function inTransaction<T>(pool: PostgresSql, run: (tx: Database) => Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let current: Transaction | null = null;
  const begun = pool.begin(async (connection) => {
    const tx = new Transaction(statements(connection));
    current = tx;
    try {
      const result = await run(tx);
      tx.end();
      return result;
    } catch (error) {
      if (!tx.lost) throw error;
      reject(error);
      // To a connection that is gone the driver would send a ROLLBACK, which ends the whole program: it is left waiting.
      return await new Promise<never>(() => {});
    } finally {
      tx.over = true;
    }
  });
  begun.then((result) => resolve(result as T), (error) => {
    // Only a connection that was cut gets here before `run` came to its end.
    if (current?.over === false) current.lost = true;
    reject(error);
  });
  return promise;
}

class Transaction implements Database {
  readonly dialect = "postgres";
  /** The connection is gone, and the transaction with it. */
  lost = false;
  /** `run` came to its end. */
  over = false;
  readonly #statements: Database;

  constructor(statements: Database) {
    this.#statements = statements;
  }

  query<T extends object>(sql: string, params?: readonly Param[]): Promise<T[]> {
    return this.#step(() => this.#statements.query<T>(sql, params));
  }

  exec(sql: string, params?: readonly Param[]): Promise<number> {
    return this.#step(() => this.#statements.exec(sql, params));
  }

  execMany(sql: string, rows: readonly (readonly Param[])[]): Promise<number> {
    return this.#step(() => this.#statements.execMany(sql, rows));
  }

  transaction<T>(run: (tx: Database) => Promise<T>): Promise<T> {
    return run(this);
  }

  healthy(): Promise<boolean> {
    return Promise.resolve(!this.lost && !this.over);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Nothing may follow but the driver's COMMIT. */
  end(): void {
    if (this.lost) throw postgresFailure(lostConnection());
  }

  async #step<T>(run: () => Promise<T>): Promise<T> {
    if (this.lost) throw postgresFailure(lostConnection());
    if (this.over) throw postgresFailure(new Error("the transaction is over"));
    try {
      return await run();
    } catch (error) {
      if (isDisconnected(error)) this.lost = true;
      throw error;
    }
  }
}

function lostConnection(): Error {
  return Object.assign(new Error("the connection was lost"), { code: "CONNECTION_CLOSED" });
}
