/**
 * Addresses that somebody was seen from, and what is known about them.
 *
 * @module
 */
import { type Database, num, type Param } from "../store/database.ts";
import type { IpInfo } from "./types.ts";

/** An address that was looked up before. */
export interface OldAddress {
  readonly ip: string;
  readonly fetchedAt: number;
}

/** The first in the order of {@linkcode AddressStore.old}. */
export const FIRST: OldAddress = { ip: "", fetchedAt: -1 };

/** What is stored of addresses. */
export class AddressStore {
  readonly #db: Database;

  /** Of this database. */
  constructor(db: Database) {
    this.#db = db;
  }

  /** Pairs that are new get what is known already. */
  async copyKnown(): Promise<void> {
    await this.#db.exec(
      `UPDATE user_ips SET info = (SELECT info FROM ip_info WHERE ip_info.ip = user_ips.ip)
       WHERE info IS NULL AND EXISTS (SELECT 1 FROM ip_info WHERE ip_info.ip = user_ips.ip AND ip_info.info IS NOT NULL)`,
    );
  }

  /** Addresses without information that nobody was asked about since `since`, each once, in their order. */
  async unknown(after: string, since: number, limit: number): Promise<string[]> {
    const rows = await this.#db.query(
      `SELECT DISTINCT ip FROM user_ips WHERE info IS NULL AND ip > $1 AND NOT EXISTS (
         SELECT 1 FROM ip_info WHERE ip_info.ip = user_ips.ip AND ip_info.fetched_at > $2
       ) ORDER BY ip LIMIT $3`,
      [after, since, limit],
    );
    return rows.map(({ ip }) => String(ip));
  }

  /** Addresses that nobody was asked about since `since`, the oldest first. */
  async old({ ip, fetchedAt }: OldAddress, since: number, limit: number): Promise<OldAddress[]> {
    const rows = await this.#db.query(
      `SELECT ip, fetched_at FROM ip_info WHERE fetched_at <= $1 AND (fetched_at > $2 OR fetched_at = $2 AND ip > $3)
       AND EXISTS (SELECT 1 FROM user_ips WHERE user_ips.ip = ip_info.ip) ORDER BY fetched_at, ip LIMIT $4`,
      [since, fetchedAt, ip, limit],
    );
    return rows.map((row) => ({ ip: String(row.ip), fetchedAt: num(row.fetched_at) }));
  }

  /**
   * Notes what is known now. An address that was erased meanwhile stays erased.
   *
   * @param provider who was asked; null: what is clear without asking, which is noted at the pairs alone
   */
  async store(infos: ReadonlyMap<string, IpInfo>, provider: string | null, now: number): Promise<void> {
    const rows = [...infos].map(([ip, info]) => [ip, JSON.stringify(info)] as const).sort(byAddress);
    if (rows.length === 0) return;
    await this.#db.transaction(async (tx) => {
      if (provider !== null) await onEach(tx, UPSERT_INFO, rows, [provider, now]);
      await onEach(tx, tx.dialect === "postgres" ? COPY_POSTGRES : COPY_SQLITE, rows, []);
    });
  }

  /** Notes that a provider knows nothing now; what was known before stays. */
  async storeFailures(ips: readonly string[], provider: string, now: number): Promise<void> {
    const rows = ips.map((ip) => [ip, ""] as const).sort(byAddress);
    if (rows.length > 0) await this.#db.transaction((tx) => onEach(tx, UPSERT_FAILURE, rows, [provider, now]));
  }
}

type Pair = readonly [ip: string, info: string];

function byAddress([a]: Pair, [b]: Pair): number {
  return a < b ? -1 : 1;
}

const STILL_THERE = "WHERE EXISTS (SELECT 1 FROM user_ips WHERE user_ips.ip = d.ip) ON CONFLICT (ip) DO UPDATE SET";
const UPSERT_INFO = `INSERT INTO ip_info (ip, info, provider, ok, fetched_at)
  SELECT d.ip, d.info, CAST($3 AS TEXT), 1, CAST($4 AS BIGINT) FROM {rows}
  ${STILL_THERE} info = excluded.info, provider = excluded.provider, ok = 1, fetched_at = excluded.fetched_at`;
const UPSERT_FAILURE = `INSERT INTO ip_info (ip, info, provider, ok, fetched_at)
  SELECT d.ip, NULL, CAST($3 AS TEXT), 0, CAST($4 AS BIGINT) FROM {rows}
  ${STILL_THERE} provider = excluded.provider, ok = 0, fetched_at = excluded.fetched_at`;
const COPY_POSTGRES = "UPDATE user_ips SET info = d.info FROM {rows} WHERE user_ips.ip = d.ip";
const COPY_SQLITE = "UPDATE user_ips SET info = $2 WHERE ip = $1";

/** Runs a statement for all rows: at once where the database can, one after the other otherwise. */
async function onEach(tx: Database, sql: string, rows: readonly Pair[], more: readonly Param[]): Promise<void> {
  if (tx.dialect === "postgres") {
    const all = sql.replace("{rows}", "unnest($1::text[], $2::text[]) AS d (ip, info)");
    await tx.exec(all, [rows.map(([ip]) => ip), rows.map(([, info]) => info), ...more]);
    return;
  }
  const one = sql.replace("{rows}", "(SELECT $1 AS ip, $2 AS info) AS d");
  await tx.execMany(one, rows.map((row) => [...row, ...more] as Param[]));
}
