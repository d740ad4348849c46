/**
 * Nodes on SQLite, and on PostgreSQL with two replicas.
 *
 * @module
 */
import type { Database } from "../../src/core/store/database.ts";
import { openDatabase } from "../../src/core/store/open.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { postgresMissing, startPostgres } from "../core_servers.ts";
import { test } from "../harness.ts";
import { nodesCases, withReplicas } from "./core_nodes_suite.ts";

const runtime = await detectRuntime();

for (const each of nodesCases) {
  test(`nodes on SQLite: ${each.name}`, async () => {
    const db = await openDatabase({ kind: "sqlite", path: "" }, runtime, silentLogger);
    try {
      await withReplicas([db, db], each);
    } finally {
      await db.close();
    }
  });
}

const TABLES = "nodes, join_tokens, idempotency, audit_log, core_values, session_events, delivered_pairs";

test("nodes on PostgreSQL", async () => {
  const closers: (() => Promise<void>)[] = [];
  const open = async (url: string): Promise<Database> => {
    const db = await openDatabase({ kind: "postgres", url }, runtime, silentLogger);
    closers.push(() => db.close());
    return db;
  };
  try {
    const url = await startPostgres((close) => closers.push(close));
    const dbs = [await open(url), await open(url)] as const;
    for (const each of nodesCases) {
      await dbs[0].exec(`TRUNCATE ${TABLES} RESTART IDENTITY CASCADE`);
      try {
        await withReplicas(dbs, each);
      } catch (error) {
        throw new Error(`${each.name}: ${error instanceof Error ? error.message : error}`, { cause: error });
      }
    }
  } finally {
    for (const close of closers.reverse()) await close();
  }
}, { skip: postgresMissing() });
