/**
 * Statements on a pool or one connection of PostgreSQL.
 *
 * @module
 */
import type postgres from "postgres";
import type { Database, Param } from "./database.ts";
import { postgresFailure } from "./postgres_errors.ts";

/** A pool. */
export type PostgresSql = postgres.Sql<Record<string, never>>;

/** Statements that are sent ahead of their answers. */
const AHEAD = 500;

/** Runs statements one by one; a transaction is the caller's affair. */
export function statements(sql: PostgresSql | postgres.TransactionSql<Record<string, never>>): Database {
  const run = (text: string, params: readonly Param[]): postgres.PendingQuery<postgres.Row[]> =>
    sql.unsafe(text, params.map(inputOf) as postgres.ParameterOrJSON<never>[], { prepare: true });
  const self: Database = {
    dialect: "postgres",
    async query<T extends object>(text: string, params: readonly Param[] = []): Promise<T[]> {
      try {
        return [...await run(text, params)] as unknown as T[];
      } catch (error) {
        throw postgresFailure(error);
      }
    },
    async exec(text, params = []) {
      try {
        return (await run(text, params)).count;
      } catch (error) {
        throw postgresFailure(error);
      }
    },
    async execMany(text, rows) {
      let changed = 0;
      for (let from = 0; from < rows.length; from += AHEAD) {
        const counts = await Promise.all(rows.slice(from, from + AHEAD).map((row) => self.exec(text, row)));
        for (const count of counts) changed += count;
      }
      return changed;
    },
    transaction: (inner) => inner(self),
    healthy: () => Promise.resolve(true),
    close: () => Promise.resolve(),
  };
  return self;
}

/** The driver takes an array of bigint for one bigint: arrays go in as the text of an array. */
function inputOf(value: Param): unknown {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  return `{${value.map(elementOf).join(",")}}`;
}

function elementOf(value: string | number | bigint | null): string {
  if (typeof value === "string") return `"${value.replace(/["\\]/g, "\\$&")}"`;
  return value === null ? "NULL" : String(value);
}
