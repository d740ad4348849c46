/**
 * A database in one SQLite file: one connection that writes, one that reads beside it.
 *
 * @module
 */
import { dirname } from "./folder.ts";
import type { Runtime } from "../../runtime/types.ts";
import type { Database, Param, Row } from "./database.ts";
import { SqliteConnection } from "./sqlite_connection.ts";
import { sqliteFailure } from "./sqlite_errors.ts";
import { Turns } from "./turns.ts";
import { unavailable } from "./unavailable.ts";

/** How long another program (a command that makes a token) may hold the file; nothing else runs meanwhile. */
const BUSY_MS = 2000;
/** Who waits longer for its turn to write is refused. */
const TURN_MS = 20_000;
/** Only the owner may read keys' hashes and people's addresses. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** A reply means that the disk has it; a large cache keeps the indexes of usage in memory. */
const WRITER = [
  "journal_mode = WAL",
  "synchronous = FULL",
  "temp_store = MEMORY",
  "cache_size = -65536",
  "journal_size_limit = 67108864",
];
const READS = /^\s*(?:SELECT|VALUES|WITH(?![^]*\b(?:INSERT|UPDATE|DELETE)\b))/i;

/**
 * Opens or makes the file; its folder too.
 *
 * @param path empty: memory
 * @throws {Failure} `STORE_UNAVAILABLE`
 */
export async function openSqlite(
  path: string,
  { files, clock }: Pick<Runtime, "files" | "clock">,
): Promise<Database> {
  if (path !== "") {
    await files.makeDirectory(dirname(path), FOLDER_MODE);
    if (!await files.exists(path)) await files.writeAtomically(path, new Uint8Array(), { mode: FILE_MODE });
  }
  try {
    const writer = new SqliteConnection({ path, readOnly: false, busyMs: BUSY_MS });
    try {
      for (const setting of WRITER) writer.run(`PRAGMA ${setting}`);
      const reader = path === "" ? writer : new SqliteConnection({ path, readOnly: true, busyMs: BUSY_MS });
      if (reader !== writer) reader.run("PRAGMA cache_size = -32768");
      return new SqliteDatabase(writer, reader, new Turns(clock, TURN_MS));
    } catch (error) {
      writer.close();
      throw error;
    }
  } catch (error) {
    throw sqliteFailure(error);
  }
}

class SqliteDatabase implements Database {
  readonly dialect = "sqlite";
  readonly #writer: SqliteConnection;
  readonly #reader: SqliteConnection;
  readonly #turns: Turns;
  #closed: Promise<void> | null = null;

  constructor(writer: SqliteConnection, reader: SqliteConnection, turns: Turns) {
    this.#writer = writer;
    this.#reader = reader;
    this.#turns = turns;
  }

  // deno-lint-ignore require-await -- what it throws has to reject
  async query<T extends object = Row>(sql: string, params: readonly Param[] = []): Promise<T[]> {
    if (!READS.test(sql)) return this.#write(() => this.#writer.all(sql, params) as T[]);
    try {
      return this.#reader.all(sql, params) as T[];
    } catch (error) {
      throw sqliteFailure(error);
    }
  }

  exec(sql: string, params: readonly Param[] = []): Promise<number> {
    return this.#write(() => this.#writer.change(sql, params));
  }

  execMany(sql: string, rows: readonly (readonly Param[])[]): Promise<number> {
    return this.transaction((tx) => tx.execMany(sql, rows));
  }

  async transaction<T>(run: (tx: Database) => Promise<T>): Promise<T> {
    if (await this.#turns.begin() === false) throw unavailable("it is busy");
    const tx = new SqliteTransaction(this.#writer);
    try {
      this.#run("BEGIN IMMEDIATE");
      const result = await run(tx);
      tx.end();
      this.#run("COMMIT");
      return result;
    } catch (error) {
      tx.abandon();
      this.#rollBack();
      throw error;
    } finally {
      this.#turns.end();
    }
  }

  healthy(): Promise<boolean> {
    return this.query("SELECT 1").then(() => true, () => false);
  }

  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    // A transaction that hangs does not keep the file open for good.
    const mine = await this.#turns.begin() !== false;
    try {
      if (this.#reader !== this.#writer) this.#reader.close();
      this.#rollBack();
      this.#writer.run("PRAGMA optimize");
    } catch {
      // It is closed anyway: the statistics of the planner are the only loss.
    } finally {
      this.#writer.close();
      if (mine) this.#turns.end();
    }
  }

  async #write<T>(run: () => T): Promise<T> {
    if (await this.#turns.begin() === false) throw unavailable("it is busy");
    try {
      return run();
    } catch (error) {
      throw sqliteFailure(error);
    } finally {
      this.#turns.end();
    }
  }

  #run(text: string): void {
    try {
      this.#writer.run(text);
    } catch (error) {
      throw sqliteFailure(error);
    }
  }

  #rollBack(): void {
    try {
      if (this.#writer.inTransaction) this.#writer.run("ROLLBACK");
    } catch {
      // Some errors end the transaction by themselves; what made it fail is what gets thrown.
    }
  }
}

/** One transaction. The first statement that fails ends it, as it does in PostgreSQL. */
class SqliteTransaction implements Database {
  readonly dialect = "sqlite";
  readonly #writer: SqliteConnection;
  #failed: unknown = null;
  #over = false;

  constructor(writer: SqliteConnection) {
    this.#writer = writer;
  }

  query<T extends object = Row>(sql: string, params: readonly Param[] = []): Promise<T[]> {
    return this.#step(() => this.#writer.all(sql, params) as T[]);
  }

  exec(sql: string, params: readonly Param[] = []): Promise<number> {
    return this.#step(() => this.#writer.change(sql, params));
  }

  execMany(sql: string, rows: readonly (readonly Param[])[]): Promise<number> {
    return this.#step(() => this.#writer.changeMany(sql, rows));
  }

  transaction<T>(run: (tx: Database) => Promise<T>): Promise<T> {
    return run(this);
  }

  healthy(): Promise<boolean> {
    return Promise.resolve(!this.#over && this.#failed === null);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** No more steps; throws what failed although `run` went on. */
  end(): void {
    this.#over = true;
    if (this.#failed !== null) throw this.#failed;
  }

  /** No more steps. */
  abandon(): void {
    this.#over = true;
  }

  // deno-lint-ignore require-await -- what it throws has to reject
  async #step<T>(run: () => T): Promise<T> {
    if (this.#over) throw sqliteFailure(new Error("the transaction is over"));
    if (this.#failed !== null) throw sqliteFailure(this.#failed);
    try {
      return run();
    } catch (error) {
      this.#failed = sqliteFailure(error);
      throw this.#failed;
    }
  }
}
