/**
 * Address data on a database: everything real but the clock, the providers and who starts jobs.
 *
 * @module
 */
import { startIpInfo } from "../../../../src/core/ip_info/ip_info.ts";
import type { IpInfo } from "../../../../src/core/ip_info/types.ts";
import type { CoreParts } from "../../../../src/core/parts.ts";
import { type CoreSettings, readCoreSettings } from "../../../../src/core/settings.ts";
import type { Database, Param } from "../../../../src/core/store/database.ts";
import { createLogger } from "../../../../src/log/logger.ts";
import { detectRuntime } from "../../../../src/runtime/detect.ts";
import { FakeClock } from "../../../fake_clock.ts";

/** Options of {@linkcode ipStage}. */
export interface IpStageOptions {
  readonly clock?: FakeClock;
  readonly base?: string;
  readonly ipInfo: Partial<CoreSettings["ipInfo"]>;
  /** Instead of jobs that a test starts. */
  readonly jobs?: CoreParts["jobs"];
}

/** One replica. */
export interface IpStage {
  readonly clock: FakeClock;
  readonly log: string[];
  /** Runs the job to its end; time goes on while it waits. */
  run(signal?: AbortSignal): Promise<void>;
}

/** Starts one on a database. */
export async function ipStage(db: Database, options: IpStageOptions): Promise<IpStage> {
  const clock = options.clock ?? new FakeClock();
  const log: string[] = [];
  let job: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  const settings = readCoreSettings(() => undefined);
  await startIpInfo({
    runtime: { ...await detectRuntime(), clock },
    logger: createLogger({
      ...{ level: "debug", format: "text", color: false },
      ...{ write: (line) => void log.push(line), wall: () => 0 },
    }),
    settings: { ...settings, ipInfo: { ...settings.ipInfo, ...options.ipInfo } },
    db,
    jobs: options.jobs ?? { every: (_name, _ms, run) => void (job = run), close: () => Promise.resolve() },
    metrics: { count() {}, observe() {}, gauge() {}, text: () => "" },
  }, options.base === undefined ? {} : { base: options.base });
  return {
    clock,
    log,
    run: (signal = new AbortController().signal) => drive(clock, job(signal)),
  };
}

/** A database, and whether it is at work. */
export function watched(db: Database): { readonly db: Database; readonly busy: () => boolean } {
  let underWay = 0;
  const counted = async <T>(call: Promise<T>): Promise<T> => {
    underWay++;
    try {
      return await call;
    } finally {
      underWay--;
    }
  };
  return {
    busy: () => underWay > 0,
    db: {
      dialect: db.dialect,
      query: <T extends object>(sql: string, params?: readonly Param[]) => counted(db.query<T>(sql, params)),
      exec: (sql, params) => counted(db.exec(sql, params)),
      execMany: (sql, rows) => counted(db.execMany(sql, rows)),
      transaction: (run) => counted(db.transaction(run)),
      healthy: () => db.healthy(),
      close: () => db.close(),
    },
  };
}

/** Lets time go on while something waits for it, but not while the database is at `busy`: its time is not the clock's. */
export async function drive(clock: FakeClock, running: Promise<void>, busy = (): boolean => false): Promise<void> {
  let done = false;
  const finished = running.finally(() => done = true);
  finished.catch(() => {});
  while (!done) {
    if (clock.pending > 0 && !busy()) clock.advance(250);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await finished;
}

/** Notes that users were seen; each pair is a user and an address. */
export async function addPairs(db: Database, pairs: readonly (readonly [number, string])[]): Promise<void> {
  const sql = "INSERT INTO user_ips (user_id, ip, first_seen_at, last_seen_at) VALUES ($1, $2, 0, 0)";
  await db.transaction((tx) => tx.execMany(sql, pairs.map(([userId, ip]) => [userId, ip])));
}

/** What is stored with the pair of a user and an address. */
export async function infoAt(db: Database, userId: number, ip: string): Promise<IpInfo | null> {
  const [row] = await db.query("SELECT info FROM user_ips WHERE user_id = $1 AND ip = $2", [userId, ip]);
  return row?.info === null || row === undefined ? null : JSON.parse(String(row.info)) as IpInfo;
}

/** Different public addresses. */
export function publicIps(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `81.${index >> 16 & 255}.${index >> 8 & 255}.${index & 255}`);
}
