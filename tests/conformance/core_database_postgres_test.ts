/**
 * The database suite on PostgreSQL, and what is PostgreSQL's alone.
 *
 * @module
 */
import { Failure } from "../../src/core/failure.ts";
import { type Database, num } from "../../src/core/store/database.ts";
import { openPostgres } from "../../src/core/store/postgres.ts";
import { migrate } from "../../src/core/store/schema.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { postgresMissing, postgresServer } from "../core_servers.ts";
import { FakeClock } from "../fake_clock.ts";
import { deepEqual, equal, ok, rejects, test } from "../harness.ts";
import { databaseSuite, makeTables } from "./core_database_suite.ts";

const runtime = await detectRuntime();
const skip = postgresMissing();
/** One for all tests of this file; it ends with the process. */
const server = skip === undefined ? await postgresServer() : null;
let databases = 0;

/** A database of its own. */
async function withOwn(run: (db: Database, url: string) => Promise<void>): Promise<void> {
  const url = server?.url ?? "";
  const admin = await openPostgres(url, runtime);
  const name = `t${++databases}`;
  await admin.exec(`CREATE DATABASE ${name}`);
  const own = url.replace(/\w+$/, name);
  const db = await openPostgres(own, runtime);
  try {
    await makeTables(db);
    await run(db, own);
  } finally {
    await db.close();
    await admin.exec(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.close();
  }
}

const unavailable = (error: unknown): boolean => error instanceof Failure && error.failure === "STORE_UNAVAILABLE";

databaseSuite("PostgreSQL", withOwn, skip);

const check = (title: string, run: (db: Database, url: string) => Promise<void>): void =>
  test(`PostgreSQL: ${title}`, () => withOwn(run), { skip });

check("arrays become rows, also large ones", async (db) => {
  const ids = Array.from({ length: 20_000 }, (_, index) => index + 1);
  equal(
    await db.exec("INSERT INTO t (id, n, text) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[])", [
      ids,
      ids.map((id) => id % 7 === 0 ? null : BigInt(id) * 2n),
      ids.map((id) => `{"${id}",\\}`),
    ]),
    20_000,
  );
  deepEqual({ ...(await db.query("SELECT n, text FROM t WHERE id = 20000"))[0] }, { n: 40_000n, text: '{"20000",\\}' });
  equal((await db.query("SELECT n FROM t WHERE id = 7"))[0]?.n, null);
  const some = await db.query("SELECT id FROM t WHERE id = ANY($1::bigint[]) ORDER BY id", [[3, 5]]);
  deepEqual(some.map(({ id }) => num(id)), [3, 5]);
});

check("replicas that start together bring the schema up once", async (_db, url) => {
  const replicas = await Promise.all([1, 2, 3, 4].map(() => openPostgres(url, runtime)));
  await Promise.all(replicas.map((replica) => migrate(replica, silentLogger)));
  await Promise.all(replicas.map((replica) => replica.close()));
});

check("a connection that is cut in a transaction rolls it back, and the pool goes on", async (db) => {
  await rejects(
    db.transaction(async (tx) => {
      await tx.exec("INSERT INTO t (id) VALUES (1)");
      const [row] = await tx.query("SELECT pg_backend_pid() AS pid");
      await db.query("SELECT pg_terminate_backend($1::int) AS done", [num(row?.pid)]);
      await tx.exec("INSERT INTO t (id) VALUES (2)");
    }),
    unavailable,
  );
  equal((await db.query("SELECT id FROM t")).length, 0);
  equal(await db.exec("INSERT INTO t (id) VALUES (3)"), 1);
});

check("far more work at once than connections: nothing is refused, and transactions stay apart", async (db) => {
  const counts = await Promise.all(Array.from({ length: 2_000 }, async (_, index) => {
    if (index % 2 === 0) return (await db.query("SELECT 1 AS one")).length;
    return await db.transaction(async (tx) => {
      const [before] = await tx.query("SELECT txid_current()::text AS id");
      await tx.exec("INSERT INTO t (id) VALUES ($1)", [index]);
      const [after] = await tx.query("SELECT txid_current()::text AS id");
      return after?.id === before?.id ? 1 : 0;
    });
  }));
  equal(counts.every((count) => count === 1), true);
  equal(num((await db.query("SELECT COUNT(*) AS n FROM t"))[0]?.n), 1_000);
});

check(
  "a transaction that waits too long for a connection is refused, and those that have one go on",
  async (_db, url) => {
    const clock = new FakeClock();
    const db = await openPostgres(url, { clock, random: runtime.random });
    const held = Promise.withResolvers<void>();
    const holders = Array.from({ length: 8 }, () =>
      db.transaction(async (tx) => {
        await held.promise;
        return (await tx.query("SELECT 1 AS one")).length;
      }));
    equal((await db.query("SELECT 1 AS one")).length, 1);
    const late = db.transaction((tx) => tx.query("SELECT 1 AS one"));
    const refused = rejects(
      late,
      (error) => unavailable(error) && /no connection was free for 20 s/.test(String(error)),
    );
    await clock.advance(20_000);
    await refused;
    held.resolve();
    deepEqual(
      await Promise.all(holders),
      Array.from({ length: 8 }, () => 1),
    );
    equal((await db.query("SELECT 1 AS one")).length, 1);
    await db.close();
    equal(clock.pending, 0);
  },
);

check("a statement that takes too long for the server is given up", async (db) => {
  await db.exec("SET statement_timeout = 100").catch(() => {});
  await rejects(
    db.transaction(async (tx) => {
      await tx.exec("SET LOCAL statement_timeout = 100");
      await tx.query("SELECT pg_sleep(5) IS NULL AS done");
    }),
    unavailable,
  );
});

check("a serializable transaction that lost runs again", async (db) => {
  await db.exec("INSERT INTO t (id, n) VALUES (1, 0)");
  let runs = 0;
  const add = (): Promise<void> =>
    db.transaction(async (tx) => {
      runs++;
      await tx.exec("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
      const [row] = await tx.query("SELECT n FROM t WHERE id = 1");
      await db.query("SELECT pg_sleep(0.05) IS NULL AS slept");
      await tx.exec("UPDATE t SET n = $1 WHERE id = 1", [num(row?.n) + 1]);
    });
  await Promise.all([add(), add(), add()]);
  equal((await db.query("SELECT n FROM t"))[0]?.n, 3n);
  ok(runs > 3);
});

check("a server that dies makes everything unavailable until it is back", async (db) => {
  await db.exec("INSERT INTO t (id) VALUES (1)");
  await server?.kill();
  await rejects(db.query("SELECT id FROM t"), unavailable);
  await rejects(db.transaction((tx) => tx.exec("INSERT INTO t (id) VALUES (2)")), unavailable);
  equal(await db.healthy(), false);
  await server?.again();
  for (let attempt = 0; attempt < 50 && !await db.healthy(); attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  equal((await db.query("SELECT id FROM t")).length, 1);
});

test("PostgreSQL: one that is not there, or refuses, is unavailable", async () => {
  await rejects(openPostgres("postgres://core@127.0.0.1:1/none", runtime), unavailable);
  await rejects(openPostgres((server?.url ?? "").replace(/\w+$/, "missing"), runtime), unavailable);
}, { skip });
