/** Where addresses are from: who is asked, about what, how often, and what stays of it on every database. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createJobs } from "../../src/core/jobs.ts";
import { eraseUserIps } from "../../src/core/presence/retention.ts";
import { type Database, num } from "../../src/core/store/database.ts";
import { silentLogger } from "../../src/log/silent.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { FakeClock } from "../fake_clock.ts";
import { deepEqual, equal, ok } from "../harness.ts";
import { writeMmdb } from "../unit/core/ip_info/mmdb_writer.ts";
import { fakeIpApi, fakeIpinfo, type FakeProvider } from "../unit/core/ip_info/providers.ts";
import { addPairs, drive, infoAt, type IpStage, ipStage, publicIps, watched } from "../unit/core/ip_info/stage.ts";
import { onEachStore } from "./core_stores.ts";

const DAY_MS = 86_400_000;
const PRIVATE = [
  "10.0.0.1",
  "192.168.1.1",
  "127.0.0.1",
  "100.64.0.9",
  "203.0.113.4",
  "fd00::1",
  "fe80::1",
  "2001:db8::1",
];

interface Scene {
  readonly clock: FakeClock;
  readonly fake: FakeProvider;
  start(clock?: FakeClock): Promise<IpStage>;
}

async function withIpApi(db: Database, run: (scene: Scene) => Promise<void>): Promise<void> {
  const clock = new FakeClock();
  const fake = await fakeIpApi(clock);
  const start = () => ipStage(db, { clock, base: fake.base, ipInfo: { provider: "ip-api" } });
  try {
    await run({ clock, fake, start });
  } finally {
    await fake.close();
  }
}

async function count(db: Database, where: string): Promise<number> {
  const [row] = await db.query(`SELECT count(*) AS n FROM ${where}`);
  return num(row?.n);
}

onEachStore(
  "ip info: each address is looked up once, for all who have it, and private ones never",
  (db) =>
    withIpApi(db, async ({ fake, clock, start }) => {
      await addPairs(db, [[1, "8.8.8.8"], [2, "8.8.8.8"], [2, "2a00:1450::5"], [3, "185.1.1.1"]]);
      await addPairs(db, PRIVATE.map((ip) => [4, ip]));
      const stage = await start();
      await stage.run();
      deepEqual([...fake.asked].sort(), ["185.1.1.1", "2a00:1450::5", "8.8.8.8"]);
      const known = await infoAt(db, 1, "8.8.8.8");
      deepEqual(known, {
        ...{ country: "Germany", countryCode: "DE", region: "Land Berlin", city: "Berlin", lat: 52.5, lon: 13.4 },
        ...{ timezone: "Europe/Berlin", postal: "10115", asn: "AS3320", org: "Deutsche Telekom AG", isp: "An ISP" },
        ...{ mobile: false, proxy: true, hosting: false, provider: "ip-api" },
        fetchedAt: known?.fetchedAt,
      });
      deepEqual(await infoAt(db, 2, "8.8.8.8"), known);
      equal((await infoAt(db, 2, "2a00:1450::5"))?.countryCode, "DE");
      equal(await infoAt(db, 3, "185.1.1.1"), null);
      for (const ip of PRIVATE) equal((await infoAt(db, 4, ip))?.bogon, true, ip);
      equal(await count(db, "ip_info"), 3);
      equal(await count(db, "ip_info WHERE ok = 0"), 1);

      await addPairs(db, [[5, "8.8.8.8"], [5, "9.9.9.9"]]);
      await stage.run();
      await stage.run();
      deepEqual(fake.asked.slice(3), ["9.9.9.9"]);
      deepEqual(await infoAt(db, 5, "8.8.8.8"), known);

      clock.advance(DAY_MS);
      await stage.run();
      deepEqual(fake.asked.slice(4).sort(), ["185.1.1.1", "2a00:1450::5", "8.8.8.8", "9.9.9.9"]);
      ok((await infoAt(db, 5, "8.8.8.8"))!.fetchedAt > known!.fetchedAt);
      await stage.run();
      equal(fake.asked.length, 8);
    }),
);

onEachStore(
  "ip info: the window of ip-api is never broken, not even by a replica that knows nothing",
  (db) =>
    withIpApi(db, async ({ fake, clock, start }) => {
      const ips = publicIps(4_000);
      await addPairs(db, ips.map((ip) => [1, ip]));
      const began = clock.wall();
      const first = await start();
      const stopping = new AbortController();
      let batches = 0;
      fake.before = () => {
        // Stopped with the last request of a window, so that the window is closed for whoever comes next.
        if (++batches === 15) queueMicrotask(() => setTimeout(() => stopping.abort(), 50));
        return Promise.resolve();
      };
      await first.run(stopping.signal).catch(() => {});
      const half = fake.asked.length;
      ok(half >= 1_400 && half <= 1_600, String(half));
      fake.before = () => Promise.resolve();
      const second = await start();
      await second.run();
      equal(fake.violations, 0);
      equal(new Set(fake.asked).size, 4_000);
      ok(fake.asked.length <= 4_100, "at most the batch that was cut off came twice");
      ok(clock.wall() - began >= 2 * 60_000, "40 requests are 3 windows");
      equal(await count(db, "user_ips WHERE info IS NULL"), 0);
    }),
);

onEachStore(
  "ip info: failures keep what is known, and five of them open the breaker for ten minutes",
  (db) =>
    withIpApi(db, async ({ fake, clock, start }) => {
      await addPairs(db, [[1, "8.8.8.8"]]);
      const stage = await start();
      await stage.run();
      const known = await infoAt(db, 1, "8.8.8.8");
      clock.advance(DAY_MS + 1);
      await addPairs(db, publicIps(1_000).map((ip) => [2, ip]));
      const before = fake.requests;
      fake.oddity = { status: 500, body: "down" };
      await stage.run();
      equal(fake.requests - before, 5);
      const replica = await start();
      await stage.run();
      await replica.run();
      equal(fake.requests - before, 5, "left alone by every replica");
      deepEqual(await infoAt(db, 1, "8.8.8.8"), known);
      equal(await count(db, "ip_info"), 1, "what was not answered is not noted");
      ok(stage.log.some((line) => line.includes("left alone")), stage.log.join("\n"));
      clock.advance(600_000);
      await stage.run();
      equal(fake.requests - before, 6, "one try, and closed again");
      clock.advance(600_000);
      fake.oddity = null;
      await stage.run();
      equal(fake.violations, 0);
      equal(await count(db, "user_ips WHERE info IS NULL"), 0);
      ok((await infoAt(db, 1, "8.8.8.8"))!.fetchedAt > known!.fetchedAt);
      ok(!stage.log.some((line) => line.includes("8.8.8.8") || line.includes("81.0")), "addresses are not logged");
    }),
);

onEachStore(
  "ip info: an address that was lost again keeps its last good data",
  (db) =>
    withIpApi(db, async ({ fake, clock, start }) => {
      await addPairs(db, [[1, "8.8.8.8"]]);
      const stage = await start();
      await stage.run();
      const known = await infoAt(db, 1, "8.8.8.8");
      clock.advance(DAY_MS);
      fake.oddity = { body: JSON.stringify([{ status: "fail", message: "invalid query", query: "8.8.8.8" }]) };
      await stage.run();
      await addPairs(db, [[2, "8.8.8.8"]]);
      await stage.run();
      deepEqual([await infoAt(db, 1, "8.8.8.8"), await infoAt(db, 2, "8.8.8.8")], [known, known]);
      equal(await count(db, "ip_info WHERE ok = 0 AND info IS NOT NULL"), 1);
      equal(fake.requests, 2);
    }),
);

onEachStore(
  "ip info: answers of a hostile provider change nothing",
  (db) =>
    withIpApi(db, async ({ fake, clock, start }) => {
      await addPairs(db, [[1, "8.8.8.8"], [1, "9.9.9.9"]]);
      const stage = await start();
      const row = { status: "success", country: "X" };
      const odd: readonly FakeProvider["oddity"][] = [
        { body: "[" },
        { body: "[]" },
        { body: JSON.stringify({ query: "8.8.8.8", ...row }) },
        { body: JSON.stringify([null, null, null]) },
        { body: "[" + " ".repeat(600_000) + "{},{}]" },
        { body: new Uint8Array([0x5b, 0xff, 0x5d]) },
        { status: 302, headers: { Location: `${fake.base}/elsewhere` }, body: "" },
      ];
      for (const oddity of odd) {
        fake.oddity = oddity;
        await stage.run();
        clock.advance(700_000);
      }
      equal(fake.urls.some((url) => url.startsWith("/elsewhere")), false);
      equal(await count(db, "ip_info"), 0);
      fake.oddity = {
        body: JSON.stringify([
          {
            ...row,
            query: "8.8.8.8",
            country: "x".repeat(5_000),
            city: 7,
            lat: 1e9,
            lon: "3",
            as: { a: 1 },
            isp: "a\0b",
          },
          { ...row, query: "1.2.3.4" },
        ]),
      };
      await stage.run();
      const info = await infoAt(db, 1, "8.8.8.8");
      deepEqual({ ...info, fetchedAt: "" }, {
        ...{ country: "x".repeat(200), lon: 3, isp: "a b", provider: "ip-api", fetchedAt: "" },
      });
      equal(await infoAt(db, 1, "9.9.9.9"), null);
      equal(await count(db, "ip_info WHERE ip = '1.2.3.4'"), 0);
    }),
);

onEachStore(
  "ip info: an address that is erased during its look-up stays erased",
  (db) =>
    withIpApi(db, async ({ fake, start }) => {
      await addPairs(db, [[1, "8.8.8.8"], [1, "9.9.9.9"], [2, "9.9.9.9"]]);
      const stage = await start();
      fake.before = async () => {
        await db.transaction((tx) => eraseUserIps(tx, 1));
      };
      await stage.run();
      equal(fake.asked.length, 2);
      equal(await count(db, "ip_info WHERE ip = '8.8.8.8'"), 0);
      equal((await infoAt(db, 2, "9.9.9.9"))?.countryCode, "DE");
      await db.transaction((tx) => eraseUserIps(tx, 2));
      equal(await count(db, "ip_info"), 0);
      equal(await count(db, "user_ips"), 0);
    }),
);

onEachStore("ip info: the quota of IPinfo is waited for, and its token is in no URL and no log", async (db) => {
  const clock = new FakeClock();
  const token = "a-secret-token";
  const fake = await fakeIpinfo(clock, { token, quota: 100 });
  try {
    await addPairs(db, publicIps(150).map((ip) => [1, ip]));
    await addPairs(db, [[1, "185.1.1.1"], [1, "10.0.0.1"], [1, "2a00::5"]]);
    const wrong = await ipStage(db, { clock, base: fake.base, ipInfo: { provider: "ipinfo", ipinfoToken: "wrong" } });
    await wrong.run();
    ok(fake.requests <= 8, "a token that is refused is not tried again at once");
    equal(await count(db, "ip_info"), 0);
    clock.advance(600_000);
    const stage = await ipStage(db, { clock, base: fake.base, ipInfo: { provider: "ipinfo", ipinfoToken: token } });
    const before = fake.requests;
    await stage.run();
    ok(fake.violations <= 8, "requests that were under way");
    equal(fake.asked.length, 100);
    const refused = fake.requests - before;
    for (let minutes = 0; minutes < 50; minutes += 10) {
      await stage.run();
      clock.advance(600_000);
    }
    equal(fake.requests - before, refused, "nobody asks before Retry-After is over");
    clock.advance(600_000);
    await stage.run();
    equal(new Set(fake.asked).size, fake.asked.length, "none twice");
    equal(fake.asked.length, 152);
    deepEqual({ ...await infoAt(db, 1, "2a00::5"), fetchedAt: "" }, {
      ...{ countryCode: "US", region: "California", city: "Mountain View", lat: 38.0088, lon: -122.1175 },
      ...{ timezone: "America/Los_Angeles", postal: "94043", asn: "AS15169", org: "Google LLC" },
      ...{ hostname: "host.example", provider: "ipinfo", fetchedAt: "" },
    });
    equal(await count(db, "ip_info WHERE ok = 0"), 1);
    const told = [...fake.urls, ...stage.log, ...wrong.log].join("\n");
    equal(told.includes(token) || told.includes("wrong"), false);
    ok(told.includes("the token is not accepted") && told.includes("the quota is used up"), told);
    const stored = await db.query("SELECT value FROM core_values");
    equal(JSON.stringify(stored.map(({ value }) => value)).includes(token), false);
  } finally {
    await fake.close();
  }
});

onEachStore("ip info: a database on this machine comes first, and goes on when the network does not", async (db) => {
  const folder = mkdtempSync(join(tmpdir(), "nodepass-ip-"));
  const mmdbPath = join(folder, "city.mmdb");
  writeFileSync(mmdbPath, writeMmdb({ "81.0.0.0/16": { country: { iso_code: "DE" } } }));
  const clock = new FakeClock();
  const fake = await fakeIpApi(clock);
  try {
    const ips = publicIps(5_000);
    await addPairs(db, ips.map((ip) => [1, ip]));
    await addPairs(db, Array.from({ length: 150 }, (_, index) => [1, `8.8.8.${index}`]));
    const stage = await ipStage(db, { clock, base: fake.base, ipInfo: { provider: "ip-api", mmdbPath } });
    fake.oddity = { status: 503 };
    await stage.run();
    equal(await count(db, "ip_info WHERE provider = 'mmdb' AND ok = 1"), 5_000);
    equal(await count(db, "user_ips WHERE info IS NULL"), 150);
    fake.oddity = null;
    fake.asked.length = 0;
    clock.advance(700_000);
    await stage.run();
    equal(fake.asked.length, 150);
    equal(await count(db, "user_ips WHERE info IS NULL"), 0);

    const alone = await ipStage(db, { clock, ipInfo: { provider: "mmdb", mmdbPath } });
    await addPairs(db, [[2, "81.0.77.77"], [2, "7.7.7.7"]]);
    await alone.run();
    equal((await infoAt(db, 2, "81.0.77.77"))?.countryCode, "DE");
    equal(await count(db, "ip_info WHERE ip = '7.7.7.7' AND ok = 0 AND provider = 'mmdb'"), 1);
  } finally {
    await fake.close();
    rmSync(folder, { recursive: true });
  }
});

onEachStore("ip info: of two replicas one does the work", async (store) => {
  // A lease of a minute must not end while a slow database takes part of a second.
  const { db, busy } = watched(store);
  const clock = new FakeClock();
  const fake = await fakeIpApi(clock);
  const real = await detectRuntime();
  // Pauses without fractions: those of a real clock are not as exact.
  const runtime = { clock, random: { ...real.random, fraction: () => 0.5 } };
  const replicas = [0, 1].map(() => createJobs({ runtime, logger: silentLogger, db }));
  try {
    await addPairs(db, publicIps(2_500).map((ip) => [1, ip]));
    const ipInfo = { provider: "ip-api" } as const;
    for (const jobs of replicas) await ipStage(db, { clock, base: fake.base, ipInfo, jobs });
    const done = async (): Promise<void> => {
      const end = performance.now() + 20_000;
      while (await count(store, "user_ips WHERE info IS NULL") > 0) {
        if (performance.now() > end) throw new Error("was not done within 20 s");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    // Both find that it is time.
    clock.advance(660_000);
    await drive(clock, done(), busy);
    equal(fake.asked.length, 2_500);
    equal(fake.violations, 0);
  } finally {
    await drive(clock, Promise.all(replicas.map((jobs) => jobs.close())).then(() => {}), busy);
    await fake.close();
  }
});
