/**
 * A PostgreSQL database behind a pool of connections.
 *
 * @module
 */
import postgres from "postgres";
import type { Clock, Random, Runtime, Timer } from "../../runtime/types.ts";
import type { Database, Param, Row } from "./database.ts";
import { isDisconnected, isPostgresError, isRepeatable, postgresFailure } from "./postgres_errors.ts";
import { type PostgresSql, statements } from "./postgres_statements.ts";
import { inTransaction } from "./postgres_transaction.ts";
import { Turns } from "./turns.ts";
import { unavailable } from "./unavailable.ts";

/** Statements alone share these, sent ahead of each other's answers; each transaction has one of the others to itself. */
const STATEMENT_CONNECTIONS = 4;
const TRANSACTION_CONNECTIONS = 8;
const CONNECT_S = 5;
const CLOSE_S = 5;
/** The server itself ends what takes longer. */
const STATEMENT_MS = 30_000;
const LOCK_MS = 10_000;
const IDLE_TRANSACTION_MS = 60_000;
/** A server that vanished from the network says nothing: connections without an answer for so long are given up. */
const SILENCE_MS = 40_000;
/** Whoever asked for a transaction and waited so long for its connection has given up long ago. */
const TURN_MS = 20_000;
const MOST_ATTEMPTS = 6;
const RETRY_MS = 20;

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
  /** Connections that were replaced, and when they are ended. */
  readonly #retired = new Map<Pool, Timer>();
  /** No transaction waits inside the driver, which may send a BEGIN behind other statements and then refuse it. */
  readonly #turns: Turns;
  #pool: Pool;
  #closed: Promise<void> | null = null;

  constructor(url: string, clock: Clock, random: Random) {
    this.#url = url;
    this.#clock = clock;
    this.#random = random;
    this.#turns = new Turns(clock, TURN_MS, TRANSACTION_CONNECTIONS);
    this.#pool = connect(url);
  }

  query<T extends object = Row>(sql: string, params: readonly Param[] = []): Promise<T[]> {
    return this.#within((pool) => pool.statements.query<T>(sql, params));
  }

  exec(sql: string, params: readonly Param[] = []): Promise<number> {
    return this.#within((pool) => pool.statements.exec(sql, params));
  }

  execMany(sql: string, rows: readonly (readonly Param[])[]): Promise<number> {
    return this.transaction((tx) => tx.execMany(sql, rows));
  }

  async transaction<T>(run: (tx: Database) => Promise<T>): Promise<T> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#inTurn(() => this.#within((pool) => inTransaction(pool.transactions, run)));
      } catch (error) {
        if (!isRepeatable(error) || attempt === MOST_ATTEMPTS) throw error;
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
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    const retired = [...this.#retired];
    this.#retired.clear();
    for (const [, timer] of retired) timer.cancel();
    await Promise.all([
      this.#pool.end(CLOSE_S),
      ...retired.map(([pool]) => pool.end(0)),
    ]);
  }

  /** Runs `work` when a connection for a transaction is free. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turns.begin();
    if (turn !== undefined && !await turn) throw unavailable(`no connection was free for ${TURN_MS / 1000} s`);
    try {
      return await work();
    } finally {
      this.#turns.end();
    }
  }

  /** Runs `work` on the pool; without an answer for too long, all connections are replaced. */
  async #within<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
    const pool = this.#pool;
    const timer = this.#clock.after(SILENCE_MS, () => {
      this.#replace(pool);
      this.#end(pool);
    });
    try {
      return await work(pool);
    } catch (error) {
      // A connection that was cut while something was being sent never works again, says the driver's source.
      if (isDisconnected(error)) this.#replace(pool);
      throw isPostgresError(error) ? postgresFailure(error) : error;
    } finally {
      timer.cancel();
    }
  }

  /** What runs on the old connections may come to its end. */
  #replace(pool: Pool): void {
    if (this.#pool !== pool || this.#closed !== null) return;
    this.#pool = connect(this.#url);
    this.#retired.set(pool, this.#clock.after(SILENCE_MS, () => this.#end(pool)));
  }

  #end(pool: Pool): void {
    const timer = this.#retired.get(pool);
    if (timer === undefined) return;
    timer.cancel();
    this.#retired.delete(pool);
    void pool.end(0);
  }
}

interface Pool {
  readonly statements: Database;
  readonly transactions: PostgresSql;
  /** Ends all connections, those with work after so many seconds. */
  end(timeout: number): Promise<unknown>;
}

function connect(url: string): Pool {
  const shared = connections(url, STATEMENT_CONNECTIONS);
  const transactions = connections(url, TRANSACTION_CONNECTIONS);
  return {
    statements: statements(shared),
    transactions,
    end: (timeout) => Promise.all([shared.end({ timeout }), transactions.end({ timeout })]),
  };
}

/** They are made when they are needed. */
function connections(url: string, max: number): PostgresSql {
  return postgres(url, {
    max,
    connect_timeout: CONNECT_S,
    idle_timeout: 300,
    prepare: true,
    fetch_types: false,
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
  }) as unknown as PostgresSql;
}
