/**
 * The database suite on SQLite, and what is SQLite's alone.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Database } from "../../src/core/store/database.ts";
import { Failure } from "../../src/core/failure.ts";
import { openSqlite } from "../../src/core/store/sqlite.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { equal, rejects, test } from "../harness.ts";
import { databaseSuite, makeTables } from "./core_database_suite.ts";
import { withFolder } from "./core_folder.ts";

const runtime = await detectRuntime();

function withFile(run: (db: Database, path: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const path = join(folder, "data", "core.db");
    const db = await openSqlite(path, runtime);
    try {
      await makeTables(db);
      await run(db, path);
    } finally {
      await db.close();
    }
  });
}

databaseSuite("SQLite", withFile);

test("SQLite: only the owner can read the file and its journal, the folder is made", () =>
  withFile(async (db, path) => {
    await db.exec("INSERT INTO t (id) VALUES (1)");
    for (const suffix of ["", "-wal", "-shm"]) equal((await stat(path + suffix)).mode & 0o777, 0o600);
    equal((await stat(join(path, ".."))).mode & 0o777, 0o700);
  }));

test("SQLite: another program that holds the file makes it unavailable, not broken", () =>
  withFile(async (db, path) => {
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    await rejects(
      db.exec("INSERT INTO t (id) VALUES (1)"),
      (error) => error instanceof Failure && error.failure === "STORE_UNAVAILABLE" && (error.retryAfterMs ?? 0) > 0,
    );
    other.exec("COMMIT");
    other.close();
    equal(await db.exec("INSERT INTO t (id) VALUES (1)"), 1);
  }));

test("SQLite: memory works for tests, and what is no database is refused", async () => {
  const memory = await openSqlite("", runtime);
  await makeTables(memory);
  equal(await memory.exec("INSERT INTO t (id) VALUES (1)"), 1);
  equal((await memory.query("SELECT id FROM t")).length, 1);
  await memory.close();
  await withFolder(async (folder) => {
    const path = join(folder, "x.db");
    await runtime.files.writeAtomically(path, new TextEncoder().encode("no database at all ".repeat(100)), {
      mode: 0o600,
    });
    await rejects(
      openSqlite(path, runtime),
      (error) => error instanceof Failure && error.failure === "STORE_UNAVAILABLE",
    );
  });
});
