/**
 * What Core has counted, read from its database.
 *
 * @module
 */
import type { Database } from "../../src/core/store/database.ts";
import { openDatabase } from "../../src/core/store/open.ts";
import { readCoreSettings } from "../../src/core/settings.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { type Bytes, outboundCounter, type Span, totalOf } from "./traffic.ts";
import type { Population } from "./admin.ts";

/** Sums over everything. */
export interface Ledger {
  /** Rows by minute. */
  readonly rows: Bytes;
  /** Counters of subscriptions: of the period, and of all time. */
  readonly used: Bytes;
  readonly lifetime: Bytes;
  readonly outbounds: Bytes;
  /** What belonged to nobody. */
  readonly orphans: Bytes;
}

const EXPRESSION = (up: string, down: string, table: string): string =>
  `SELECT CAST(COALESCE(SUM(${up}), 0) AS BIGINT) AS up, CAST(COALESCE(SUM(${down}), 0) AS BIGINT) AS down FROM ${table}`;

/** Runs with the database that variables name, beside Core or after it. */
export async function withDatabase<T>(
  env: Readonly<Record<string, string>>,
  run: (db: Database) => Promise<T>,
): Promise<T> {
  const settings = readCoreSettings((name) => env[name]);
  const db = await openDatabase(settings.database, await detectRuntime(), silentLogger);
  try {
    return await run(db);
  } finally {
    await db.close();
  }
}

/** Adds up. */
export async function readLedger(env: Readonly<Record<string, string>>): Promise<Ledger> {
  return await withDatabase(env, async (db) => {
    const sum = async (up: string, down: string, table: string): Promise<Bytes> => {
      const [row] = await db.query(EXPRESSION(up, down, table));
      return { up: Number(row?.up), down: Number(row?.down) };
    };
    return {
      rows: await sum("bytes_up", "bytes_down", "usage_minutes"),
      used: await sum("used_up", "used_down", "subscriptions"),
      lifetime: await sum("lifetime_up", "lifetime_down", "subscriptions"),
      outbounds: await sum("traffic_bytes_up", "traffic_bytes_down", "node_outbounds"),
      orphans: await sum("bytes_up", "bytes_down", "usage_orphans"),
    };
  });
}

/** What everybody together sent in that time. */
export function emitted(
  { nodes, uuids }: Population,
  span: Span,
): { readonly users: Bytes; readonly outbounds: Bytes } {
  const emails = nodes.flatMap(({ protocolId }) => uuids.map((uuid) => `${uuid}.${protocolId}`));
  return {
    users: totalOf(emails, span),
    outbounds: totalOf(nodes.map(({ code }) => outboundCounter(code, "direct")), span),
  };
}

/** By how much the ledger is wrong, name by name; empty when it is right. */
export function differences(ledger: Ledger, expected: ReturnType<typeof emitted>): Record<string, number> {
  const found: Record<string, number> = {};
  const compare = (name: string, is: Bytes, should: Bytes): void => {
    if (is.up !== should.up) found[`${name}Up`] = is.up - should.up;
    if (is.down !== should.down) found[`${name}Down`] = is.down - should.down;
  };
  compare("rows", ledger.rows, expected.users);
  compare("used", ledger.used, expected.users);
  compare("lifetime", ledger.lifetime, expected.users);
  compare("outbounds", ledger.outbounds, expected.outbounds);
  compare("orphans", ledger.orphans, { up: 0, down: 0 });
  return found;
}
