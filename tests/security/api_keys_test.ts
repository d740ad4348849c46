/** Nobody gets in without the key, and nobody guesses it. */
import { equalInConstantTime } from "../../src/master/identifiers.ts";
import { routes } from "../../src/master/app.ts";
import { deepEqual, equal, ok, test } from "../harness.ts";
import { fakeMaster, KEY, masterTest } from "../unit/http/fake_master.ts";
import { exchangeRaw } from "../unit/http/raw.ts";

/** Ways to write a path that another reader might take for the same one. */
const SPELLINGS: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => `/api${path}`,
  (path) => `/api/v1${path}`,
  (path) => `//api/v1${path}`,
  (path) => `/api//v1${path}`,
  (path) => `/api/v1/.${path}`,
  (path) => `/api/v1/x/..${path}`,
  (path) => `/api/v1/docs/..${path}`,
  (path) => `/api/v1/%2e%2e/v1${path}`,
  (path) => `/api%2fv1${path}`,
  (path) => `/api/v1%2f${path.slice(1)}`,
  (path) => `/api/v1/api/v1${path}`,
  (path) => `/api/v1${path}/`,
  (path) => `/api/v1${path};x`,
  (path) => `/api/v1${path}%00`,
  (path) => `/api/v1${path}?X-API-Key=${KEY}&key=${KEY}`,
  (path) => `/api/v1${path}#`,
  (path) => `/API/V1${path}`,
  (path) => `/api/v1${path.toUpperCase()}`,
  (path) => `/api/v1\\${path.slice(1)}`,
  (path) => `http://127.0.0.1/api/v1${path}`,
  (path) => `/api/v1/healthz${path}`,
  (path) => `/api/v1${path.replace(/^\/./, (start) => `/%${start.charCodeAt(1).toString(16)}`)}`,
];

test("every operation behind the key is 401 or 404 without it, however its path is written", async () => {
  const statuses = new Map<string, number>();
  // A fresh master now and then: after ten failures an address learns 429 instead.
  for (const [index, spell] of SPELLINGS.entries()) {
    const guarded = routes.filter(({ access }) => access === "key");
    for (let at = 0; at < guarded.length; at += 9) {
      const master = await fakeMaster();
      const { id } = await master.instances.create({ url: "server://:1/:2", alias: "" });
      for (const { method, path } of guarded.slice(at, at + 9)) {
        const target = spell(path.replace("{id}", id).replace("{sid}", "1"));
        const text = `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`;
        const answer = (await exchangeRaw(master.port, text)).text;
        const status = answer.slice(9, 12);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        // 400: the parser refused the request before any route saw it.
        const refused = ["401", "404"].includes(status) || status === "400" && !answer.includes("{");
        ok(refused, `${index}: ${method} ${target}: ${answer.slice(0, 80)}`);
      }
      equal(master.instances.get(id)?.status, "running");
      await master.close();
    }
  }
  ok((statuses.get("401") ?? 0) > 50, JSON.stringify([...statuses]));
});

masterTest("headers that look like the key do not open the API", {}, async (master) => {
  const wrong = [
    {},
    { "X-API-Key": KEY.slice(1) },
    { "X-API-Key": `${KEY}0` },
    { "X-API-Key": KEY.toUpperCase() },
    {
      "X-API-Key": `${KEY}, ${KEY}`,
    },
    { Authorization: KEY },
    { Cookie: `X-API-Key=${KEY}` },
  ];
  for (const headers of wrong) {
    const response = await master.call("/instances", { key: null, headers: headers as Record<string, string> });
    await response.body?.cancel();
    equal(response.status, 401, JSON.stringify(headers));
  }
});

masterTest("guessing the key ends in 429, which its owner does not notice", {}, async (master) => {
  const statuses: number[] = [];
  for (let index = 0; index < 200; index++) {
    const response = await master.call("/instances", { key: index.toString(16).padStart(32, "0") });
    await response.body?.cancel();
    statuses.push(response.status);
    if (response.status === 429) ok(Number(response.headers.get("retry-after")) > 0);
    if (index % 50 === 0) {
      const own = await master.call("/instances");
      await own.body?.cancel();
      equal(own.status, 200);
    }
  }
  deepEqual([...new Set(statuses.slice(0, 10))], [401]);
  deepEqual([...new Set(statuses.slice(10))], [429]);
});

test("how long a comparison of keys takes tells nothing about the key", () => {
  const candidates = [`f${KEY.slice(1)}`, `${KEY.slice(0, 31)}e`, "x".repeat(32), KEY];
  const best = candidates.map(() => Infinity);
  let matches = 0;
  for (let round = 0; round < 60; round++) {
    candidates.forEach((candidate, index) => {
      const start = performance.now();
      for (let count = 0; count < 5_000; count++) if (equalInConstantTime(candidate, KEY)) matches++;
      best[index] = Math.min(best[index]!, performance.now() - start);
    });
  }
  equal(matches, 60 * 5_000);
  const spread = Math.max(...best) / Math.min(...best);
  ok(spread < 1.5, `${spread.toFixed(2)} between the slowest and the fastest: ${best.join(", ")}`);
});
