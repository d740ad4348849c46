/**
 * What every database does, whichever it is.
 *
 * @module
 */
import { Failure } from "../../src/core/failure.ts";
import { clampedSum, type Database, MAX_INT64, num, numOrNull } from "../../src/core/store/database.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { migrate, statementsOf } from "../../src/core/store/schema.ts";
import { migrations } from "../../src/core/store/migrations/all.ts";
import { deepEqual, equal, ok, rejects, test, throws } from "../harness.ts";

/** A database of its own for one test, with a table `t (id, n, text, bytes)`. */
export type WithDatabase = (run: (db: Database) => Promise<void>) => Promise<void>;

const failure = (code: string) => (error: unknown): boolean => error instanceof Failure && error.failure === code;

/** Registers the tests. */
export function databaseSuite(name: string, withDatabase: WithDatabase, skip?: string): void {
  const check = (title: string, run: (db: Database) => Promise<void>): void =>
    test(`${name}: ${title}`, () => withDatabase(run), { skip });

  check("values come back as they went in, integers as bigint", async (db) => {
    const bytes = new Uint8Array([0, 1, 255]);
    equal(
      await db.exec("INSERT INTO t (id, n, text, bytes) VALUES ($1, $2, $3, $4)", [
        1,
        MAX_INT64,
        "é'$1\u{1f600}",
        bytes,
      ]),
      1,
    );
    const [row] = await db.query("SELECT id, n, text, bytes FROM t WHERE id = $1", [1]);
    equal(row?.id, 1n);
    equal(row?.n, MAX_INT64);
    equal(row?.text, "é'$1\u{1f600}");
    deepEqual([...row?.bytes as Uint8Array], [0, 1, 255]);
    await db.exec("UPDATE t SET n = $1, text = $2, bytes = $3", [null, null, null]);
    const [empty] = await db.query("SELECT n, text, bytes, COUNT(*) OVER () AS c FROM t");
    deepEqual({ ...empty }, { n: null, text: null, bytes: null, c: 1n });
  });

  check("sums are bigint, averages are not", async (db) => {
    await db.execMany("INSERT INTO t (id, n) VALUES ($1, $2)", [[1, 5], [2, 6]]);
    const [row] = await db.query<{ s: bigint; c: bigint; a: number }>(
      "SELECT SUM(n) AS s, COUNT(*) AS c, AVG(n * 1.0) AS a FROM t",
    );
    equal(row?.s, 11n);
    equal(row?.c, 2n);
    equal(Number(row?.a), 5.5);
  });

  check("placeholders may stand in any order and more than once; quotes hide them", async (db) => {
    await db.exec("INSERT INTO t (id, n, text) VALUES ($2, $1, '$3')", [7, 8]);
    const [row] = await db.query("SELECT n, text FROM t WHERE id = $2 AND n = $1 AND n + 1 = $2", [7, 8]);
    deepEqual({ ...row }, { n: 7n, text: "$3" });
  });

  check("whole numbers stay whole in expressions", async (db) => {
    await db.exec("INSERT INTO t (id, n) VALUES ($1, $2)", [1, 10]);
    const [row] = await db.query("SELECT (n + CAST($1 AS BIGINT)) / 3 AS third FROM t", [10]);
    equal(row?.third, 6n);
  });

  check("exec counts changed rows, RETURNING gives them", async (db) => {
    equal(await db.execMany("INSERT INTO t (id, n) VALUES ($1, $2)", [[1, 1], [2, 2], [3, 3]]), 3);
    equal(await db.exec("UPDATE t SET n = n + 1 WHERE id > $1", [1]), 2);
    equal(await db.exec("DELETE FROM t WHERE id = $1", [99]), 0);
    deepEqual((await db.query("DELETE FROM t WHERE id < 3 RETURNING id")).map(({ id }) => num(id)).sort(), [1, 2]);
    equal(await db.execMany("INSERT INTO t (id, n) VALUES ($1, $2)", []), 0);
  });

  check("sums stop at the largest integer", async (db) => {
    const add = `INSERT INTO t (id, n) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = ${
      clampedSum("t.n", "excluded.n")
    }`;
    await db.execMany(add, [[1, MAX_INT64 - 2n], [1, 1], [2, 4], [2, 5]]);
    deepEqual((await db.query("SELECT n FROM t ORDER BY id")).map(({ n }) => n), [MAX_INT64 - 1n, 9n]);
    await db.execMany(add, [[1, 5], [1, MAX_INT64]]);
    deepEqual((await db.query("SELECT n FROM t WHERE id = 1")).map(({ n }) => n), [MAX_INT64]);
    await rejects(db.exec("UPDATE t SET n = n + 1 WHERE id = 1"), failure("INTERNAL"));
    equal((await db.query("SELECT n FROM t WHERE id = 1"))[0]?.n, MAX_INT64);
  });

  check("a transaction is all or nothing", async (db) => {
    await rejects(
      db.transaction(async (tx) => {
        await tx.exec("INSERT INTO t (id) VALUES (1)");
        equal((await tx.query("SELECT id FROM t")).length, 1);
        throw new RangeError("no");
      }),
      RangeError,
    );
    equal((await db.query("SELECT id FROM t")).length, 0);
    const result = await db.transaction(async (tx) => {
      await tx.exec("INSERT INTO t (id) VALUES (2)");
      return await tx.transaction(async (inner) => (await inner.query("SELECT id FROM t")).length);
    });
    equal(result, 1);
    equal((await db.query("SELECT id FROM t")).length, 1);
  });

  check("nobody sees a transaction before its end", async (db) => {
    await db.transaction(async (tx) => {
      await tx.exec("INSERT INTO t (id) VALUES (1)");
      equal((await db.query("SELECT id FROM t")).length, 0);
    });
    equal((await db.query("SELECT id FROM t")).length, 1);
  });

  check("transactions that touch the same row follow one another", async (db) => {
    await db.exec("INSERT INTO t (id, n) VALUES (1, 0)");
    await Promise.all(Array.from({ length: 40 }, () =>
      db.transaction(async (tx) => {
        const [row] = await tx.query("SELECT n FROM t WHERE id = $1 FOR UPDATE", [1]);
        await Promise.resolve();
        await tx.exec("UPDATE t SET n = $1 WHERE id = 1", [num(row?.n) + 1]);
      })));
    equal((await db.query("SELECT n FROM t"))[0]?.n, 40n);
  });

  check("transactions that lock rows in opposite order all succeed", async (db) => {
    await db.execMany("INSERT INTO t (id, n) VALUES ($1, 0)", [[1], [2]]);
    await Promise.all(Array.from({ length: 4 }, (_, index) =>
      db.transaction(async (tx) => {
        for (const id of index % 2 === 0 ? [1, 2] : [2, 1]) await tx.exec("UPDATE t SET n = n + 1 WHERE id = $1", [id]);
      })));
    deepEqual((await db.query("SELECT n FROM t ORDER BY id")).map(({ n }) => n), [4n, 4n]);
  });

  check("a statement that fails ends its transaction, even when nobody looks", async (db) => {
    await db.exec("INSERT INTO t (id) VALUES (1)");
    await rejects(db.transaction(async (tx) => {
      await tx.exec("INSERT INTO t (id) VALUES (2)");
      await tx.exec("INSERT INTO t (id) VALUES (1)").catch(() => {});
    }));
    deepEqual((await db.query("SELECT id FROM t")).map(({ id }) => id), [1n]);
  });

  check("unique and foreign keys refuse with CONFLICT, mistakes with INTERNAL", async (db) => {
    await db.exec("INSERT INTO t (id) VALUES (1)");
    await rejects(db.exec("INSERT INTO t (id) VALUES (1)"), failure("CONFLICT"));
    await rejects(db.exec("INSERT INTO child (t_id) VALUES (5)"), failure("CONFLICT"));
    await rejects(db.transaction((tx) => tx.exec("INSERT INTO t (id) VALUES (1)")), failure("CONFLICT"));
    await rejects(db.query("SELECT missing FROM t"), failure("INTERNAL"));
    await rejects(db.execMany("INSERT INTO t (id) VALUES ($1)", [[2], [1]]), failure("CONFLICT"));
    deepEqual((await db.query("SELECT id FROM t")).map(({ id }) => id), [1n]);
    await db.exec("INSERT INTO child (t_id) VALUES (1)");
    await db.exec("DELETE FROM t");
    equal((await db.query("SELECT t_id FROM child")).length, 0);
  });

  check("what is larger than an integer, or a fraction, is refused and changes nothing", async (db) => {
    await db.exec("INSERT INTO t (id, n) VALUES (1, 1)");
    await rejects(db.exec("UPDATE t SET n = $1", [MAX_INT64 + 1n]));
    await rejects(db.exec("UPDATE t SET n = $1", ["words"]));
    equal((await db.query("SELECT n FROM t"))[0]?.n, 1n);
  });

  check("ids count up and are never used twice", async (db) => {
    const add = (): Promise<number> =>
      db.query("INSERT INTO child (t_id) VALUES (NULL) RETURNING id").then(([row]) => num(row?.id));
    const first = await add();
    await db.exec("DELETE FROM child");
    ok(await add() > first);
  });

  check("the schema is there, and applying it again changes nothing", async (db) => {
    await migrate(db, silentLogger);
    await migrate(db, silentLogger);
    await db.exec("INSERT INTO users (name, created_at, updated_at) VALUES ($1, $2, $2)", ["anna", 1]);
    await rejects(
      db.exec("INSERT INTO users (name, created_at, updated_at) VALUES ($1, $2, $2)", ["anna", 1]),
      failure("CONFLICT"),
    );
    const minute = "INSERT INTO usage_minutes (node_id, node_protocol_id, user_id, minute, bytes_up, bytes_down) " +
      `VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (node_id, node_protocol_id, user_id, subscription_id, minute) ` +
      `DO UPDATE SET bytes_up = ${clampedSum("usage_minutes.bytes_up", "excluded.bytes_up")}`;
    await db.execMany(minute, [[1, 1, 1, 60_000, 5, 5], [1, 1, 1, 60_000, 6, 5]]);
    deepEqual({ ...(await db.query("SELECT bytes_up, subscription_id FROM usage_minutes"))[0] }, {
      bytes_up: 11n,
      subscription_id: 0n,
    });
  });

  check("a schema from the future is refused, a step that fails leaves nothing", async (db) => {
    await migrate(db, silentLogger);
    const broken = {
      version: migrations.length + 1,
      name: "broken",
      text: "CREATE TABLE half (id {int});\nCREATE nonsense;",
    };
    await rejects(migrate(db, silentLogger, [...migrations, broken]));
    await rejects(db.query("SELECT * FROM half"), failure("INTERNAL"));
    await db.exec("INSERT INTO schema_versions (version, name) VALUES (99, 'later')");
    await rejects(migrate(db, silentLogger), /schema is version 99/);
  });

  check("after the end everything is refused, and ending again is fine", async (db) => {
    ok(await db.healthy());
    const late = db.transaction(async (tx) => {
      await tx.exec("INSERT INTO t (id) VALUES (1)");
    });
    await Promise.all([late, db.close()]);
    await db.close();
    equal(await db.healthy(), false);
    await rejects(db.query("SELECT 1 AS one"), failure("STORE_UNAVAILABLE"));
    await rejects(db.exec("DELETE FROM t"), failure("STORE_UNAVAILABLE"));
    await rejects(db.transaction((tx) => tx.exec("DELETE FROM t")), failure("STORE_UNAVAILABLE"));
  });
}

/** Makes the tables that the tests use. */
export async function makeTables(db: Database): Promise<void> {
  const text = "CREATE TABLE t (id {int} PRIMARY KEY, n {int}, text TEXT, bytes {bytes}){strict};\n" +
    "CREATE TABLE child (id {id}, t_id {int} REFERENCES t (id) ON DELETE CASCADE){strict};";
  for (const statement of statementsOf({ version: 0, name: "tests", text }, db.dialect)) await db.exec(statement);
}

test("numbers of a database: only what a number can hold", () => {
  equal(num(5n), 5);
  equal(numOrNull(null), null);
  equal(numOrNull(7n), 7);
  throws(() => num(2n ** 53n), RangeError);
  throws(() => num(null), RangeError);
  throws(() => num(1.5), RangeError);
});
