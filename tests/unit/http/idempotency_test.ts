import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, rejects, test } from "../../harness.ts";
import { Idempotency, KEPT_ANSWERS, KEPT_MS } from "../../../src/http/idempotency.ts";

const body = new TextEncoder().encode("{}");

test("Idempotency keeps an answer for ten minutes, by path and key", async () => {
  const clock = new FakeClock();
  const kept = new Idempotency(() => clock.now());
  let runs = 0;
  const run = () => Promise.resolve(new Response(String(++runs), { status: 201, headers: { ETag: '"1"' } }));
  const ask = async (key = "k", path = "/a") => await (await kept.answer(key, path, body, run)).text();
  equal(await ask(), "1");
  equal(await ask(), "1");
  equal(await ask("k", "/b"), "2");
  equal(await ask("l"), "3");
  const again = await kept.answer("k", "/a", body, run);
  deepEqual([again.status, again.headers.get("etag"), await again.text()], [201, '"1"', "1"]);
  await rejects(kept.answer("k", "/a", new Uint8Array(3), run), { status: 422 });
  for (const key of ["", "a b", "\u00e4", "k".repeat(257)]) {
    await rejects(kept.answer(key, "/a", body, run), { status: 400 });
  }
  clock.advance(KEPT_MS);
  equal(await ask(), "4");
});

test("Idempotency keeps a bounded number of answers and none that failed", async () => {
  const kept = new Idempotency(() => 0);
  let runs = 0;
  const run = () => Promise.resolve(new Response(String(++runs)));
  for (let index = 0; index < KEPT_ANSWERS + 1; index++) await kept.answer(`k${index}`, "/a", body, run);
  const before = runs;
  await kept.answer(`k${KEPT_ANSWERS}`, "/a", body, run);
  equal(runs, before);
  await kept.answer("k0", "/a", body, run);
  equal(runs, before + 1);
  await rejects(kept.answer("f", "/a", body, () => Promise.reject(new Error("no"))), /no/);
  equal(await (await kept.answer("f", "/a", body, run)).text(), String(runs));
});
