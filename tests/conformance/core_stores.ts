/**
 * A new database of Core for every test: SQLite in memory, and PostgreSQL where this machine has it.
 *
 * @module
 */
import type { Database } from "../../src/core/store/database.ts";
import { openDatabase } from "../../src/core/store/open.ts";
import { openPostgres } from "../../src/core/store/postgres.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { postgresMissing, postgresServer } from "../core_servers.ts";
import { test } from "../harness.ts";

const runtime = await detectRuntime();
const skip = postgresMissing();
/** One for all tests of a file; it ends with the process. */
const server = skip === undefined ? await postgresServer() : null;
let databases = 0;

/** Registers a test once for each kind of database. The name comes behind that of the database. */
export function onEachStore(name: string, run: (db: Database) => Promise<void>): void {
  test(`SQLite: ${name}`, async () => {
    const db = await openDatabase({ kind: "sqlite", path: "" }, runtime, silentLogger);
    try {
      await run(db);
    } finally {
      await db.close();
    }
  });
  test(`PostgreSQL: ${name}`, () => onPostgres(run), { skip });
}

async function onPostgres(run: (db: Database) => Promise<void>): Promise<void> {
  const url = server?.url ?? "";
  const own = `own${++databases}`;
  const admin = await openPostgres(url, runtime);
  try {
    await admin.exec(`CREATE DATABASE ${own}`);
    const db = await openDatabase({ kind: "postgres", url: url.replace(/\w+$/, own) }, runtime, silentLogger);
    try {
      await run(db);
    } finally {
      await db.close();
      await admin.exec(`DROP DATABASE ${own} WITH (FORCE)`);
    }
  } finally {
    await admin.close();
  }
}
