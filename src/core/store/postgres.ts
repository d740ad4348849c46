/**
 * A PostgreSQL database behind a pool of connections.
 *
 * @module
 */
import postgres from "postgres";
import type { Clock, Random, Runtime } from "../../runtime/types.ts";
import { Failure } from "../failure.ts";
import type { Database, Param, Row } from "./database.ts";
import { isPostgresError, isRepeatable, postgresFailure } from "./postgres_errors.ts";

const CONNECTIONS = 10;
const CONNECT_S = 5;
/** The server itself ends what takes longer. */
const STATEMENT_MS = 30_000;
const LOCK_MS = 10_000;
const IDLE_TRANSACTION_MS = 60_000;
/** A server that vanished from the network says nothing: connections without an answer for so long are given up. */
const SILENCE_MS = 40_000;
const MOST_ATTEMPTS = 6;
const RETRY_MS = 20;
/** Statements that are sent ahead of their answers. */
const AHEAD = 500;

type Sql = postgres.Sql<Record<string, never>> | postgres.TransactionSql<Record<string, never>>;

/** What reads every integer as bigint; sums of them are `numeric`. */
const wholeNumbers = {
  to: 20,
  from: [20, 21, 23, 26],
  parse: (text: string): bigint => BigInt(text),
  serialize: String,
};
const sums = {
  to: 1700,
  from: [1700],
  parse: (text: string): bigint | number => /^-?\d+$/.test(text) ? BigInt(text) : Number(text),
  serialize: String,
};

/**
 * Connects.
 *
 * @param url `postgres://user:password@host/database`
 * @throws {Failure} `STORE_UNAVAILABLE`
 */
export async function openPostgres(
  url: string,
  { clock, random }: Pick<Runtime, "clock" | "random">,
): Promise<Database> {
  const database = new PostgresDatabase(url, clock, random);
  try {
    await database.query("SELECT 1 AS one");
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

class PostgresDatabase implements Database {
  readonly dialect = "postgres";
  readonly #url: string;
  readonly #clock: Clock;
  readonly #random: Random;
  #sql: postgres.Sql<Record<string, never>>;
  #closed: Promise<void> | null = null;

  constructor(url: string, clock: Clock, random: Random) {
    this.#url = url;
    this.#clock = clock;
    this.#random = random;
    this.#sql = connect(url);
  }

  query<T extends object = Row>(sql: string, params: readonly Param[] = []): Promise<T[]> {
    return this.#within((pool) => statements(pool).query<T>(sql, params));
  }

  exec(sql: string, params: readonly Param[] = []): Promise<number> {
    return this.#within((pool) => statements(pool).exec(sql, params));
  }

  execMany(sql: string, rows: readonly (readonly Param[])[]): Promise<number> {
    return this.transaction((tx) => tx.execMany(sql, rows));
  }

  async transaction<T>(run: (tx: Database) => Promise<T>): Promise<T> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#within((pool) => pool.begin((inner) => run(statements(inner)))) as T;
      } catch (error) {
        if (!isRepeatable(error)) {
          throw error instanceof Failure || !isPostgresError(error) ? error : postgresFailure(error);
        }
        if (attempt === MOST_ATTEMPTS) throw postgresFailure(error);
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#clock.after(this.#random.fraction() * RETRY_MS * 2 ** attempt, resolve);
        await promise;
      }
    }
  }

  healthy(): Promise<boolean> {
    return this.query("SELECT 1 AS one").then(() => true, () => false);
  }

  close(): Promise<void> {
    return this.#closed ??= this.#sql.end({ timeout: 5 });
  }

  /** Runs `work` on the pool; without an answer for too long, all connections are replaced. */
  async #within<T>(work: (pool: postgres.Sql<Record<string, never>>) => Promise<T>): Promise<T> {
    const pool = this.#sql;
    const timer = this.#clock.after(SILENCE_MS, () => {
      if (this.#sql !== pool || this.#closed !== null) return;
      this.#sql = connect(this.#url);
      void pool.end({ timeout: 0 });
    });
    try {
      return await work(pool);
    } finally {
      timer.cancel();
    }
  }
}

/** The statements of a pool or of a transaction. */
function statements(sql: Sql): Database {
  const run = (text: string, params: readonly Param[]): postgres.PendingQuery<postgres.Row[]> =>
    sql.unsafe(text, params as postgres.ParameterOrJSON<never>[], { prepare: true });
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

function connect(url: string): postgres.Sql<Record<string, never>> {
  return postgres(url, {
    max: CONNECTIONS,
    connect_timeout: CONNECT_S,
    idle_timeout: 300,
    prepare: true,
    onnotice: () => {},
    backoff: (attempts: number) => Math.min(2, 0.1 * 2 ** attempts),
    types: { wholeNumbers, sums },
    connection: {
      application_name: "nodepass core",
      TimeZone: "UTC",
      statement_timeout: STATEMENT_MS,
      lock_timeout: LOCK_MS,
      idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
    },
  }) as unknown as postgres.Sql<Record<string, never>>;
}
