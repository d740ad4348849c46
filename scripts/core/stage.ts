/**
 * Core as a process on the store that is asked for, on ports that stay the same over its restarts.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path/posix";
import { openPostgres } from "../../src/core/store/postgres.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import {
  postgresMissing,
  postgresServer,
  redisMissing,
  redisServer,
  type TestServer,
} from "../../tests/core_servers.ts";
import { CoreProcess } from "../../tests/e2e/core_process.ts";
import type { RuntimeName } from "../../tests/e2e/process.ts";
import { freePort } from "../../tests/unit/tunnel/forward_fixture.ts";
import { Admin } from "./admin.ts";

/** Where Core keeps everything. */
export type StoreKind = "sqlite" | "postgres";

/** What this machine has. */
export const STORES: readonly StoreKind[] = postgresMissing() === undefined && redisMissing() === undefined
  ? ["sqlite", "postgres"]
  : ["sqlite"];

const SECRET = "a secret of tests that is long enough, always the same";
let servers: Promise<{ readonly postgres: TestServer; readonly redis: TestServer }> | null = null;
let databases = 0;

/** A Core, its administrator, and a folder for what goes with them. */
export class CoreStage implements AsyncDisposable {
  readonly core: CoreProcess;
  readonly admin: Admin;
  readonly folder: string;
  readonly store: StoreKind;

  private constructor(core: CoreProcess, folder: string, store: StoreKind) {
    this.core = core;
    this.admin = new Admin(core.base, core.adminToken);
    this.folder = folder;
    this.store = store;
  }

  /** Starts it. */
  static async open(
    runtime: RuntimeName,
    store: StoreKind,
    env: Readonly<Record<string, string>> = {},
  ): Promise<CoreStage> {
    const folder = await mkdtemp(join(tmpdir(), "nodepass-fleet-"));
    const ports = { PORT: String(await freePort()), GRPC_PORT: String(await freePort()) };
    const variables = { ...ports, ...await storeVariables(store), ...env };
    return new CoreStage(await CoreProcess.start({ runtime, env: variables }), folder, store);
  }

  /** Variables of the process. */
  get env(): Readonly<Record<string, string>> {
    return this.core.env;
  }

  get place(): { readonly base: string; readonly grpcPort: number } {
    return { base: this.core.base, grpcPort: this.core.grpcPort };
  }

  /** Ends Core as a crash does and starts it again. */
  async restart(): Promise<void> {
    await this.kill();
    await this.core.again();
  }

  async kill(): Promise<void> {
    this.core.process.signal("SIGKILL");
    await this.core.process.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.core[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Starts what stores need outside of a test that looks for what it leaves behind. */
export async function readyStores(): Promise<void> {
  if (STORES.includes("postgres")) await (servers ??= startServers());
}

/** Variables for a database of its own. */
export async function storeVariables(store: StoreKind): Promise<Record<string, string>> {
  if (store === "sqlite") return {};
  const { postgres, redis } = await (servers ??= startServers());
  const name = `fleet${++databases}`;
  await onPostgres(postgres.url, `CREATE DATABASE ${name}`);
  return {
    DATABASE_URL: postgres.url.replace(/\w+$/, name),
    REDIS_URL: `${redis.url}/${databases % 16}`,
    CORE_SECRET: SECRET,
  };
}

/** Statements on the server of a database, outside of any transaction. */
export async function onPostgres(url: string, ...statements: readonly string[]): Promise<void> {
  const db = await openPostgres(url.replace(/\w+$/, "postgres"), await detectRuntime());
  try {
    for (const statement of statements) await db.exec(statement);
  } finally {
    await db.close();
  }
}

/** They end with this process. */
async function startServers(): Promise<{ postgres: TestServer; redis: TestServer }> {
  const [postgres, redis] = await Promise.all([postgresServer(true), redisServer()]);
  return { postgres, redis };
}
