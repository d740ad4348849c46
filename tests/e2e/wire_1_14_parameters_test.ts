/** What the parameters of a URL promise holds with wire=1.14, too; and how its ends end. */
import { writeAll } from "../../src/relay/write_all.ts";
import { deepEqual, equal, match, ok } from "../harness.ts";
import { freePort, ownedTest, UdpVisitor } from "../unit/tunnel/forward_fixture.ts";
import { type InsidePair, type InsidePairOptions, startInside, startInsidePair } from "./in_process.ts";
import { askUdp, until } from "./load.ts";
import { Target } from "./targets.ts";
import { ask, bytesOf, firstWords, turnedAway, visit } from "./visitors.ts";
import { KEY } from "./wire_1_14_inside.ts";

const FLOWS = ["reverse", "forward"] as const;

function startPair({ serverQuery = "", clientQuery = "", ...options }: InsidePairOptions): Promise<InsidePair> {
  return startInsidePair({
    ...options,
    serverQuery: `wire=1.14&${serverQuery}`,
    clientQuery: `wire=1.14&${clientQuery}`,
  });
}

ownedTest("proxy, slot, block and deny hold with wire=1.14, in both flows", async (own) => {
  const target = await own(Target.listen());
  for (const flow of FLOWS) {
    const [atEntry, atTarget] = flow === "reverse" ? ["serverQuery", "clientQuery"] : ["clientQuery", "serverQuery"];
    const queries = { [atEntry]: "slot=2&block=2&deny=127.0.0.3", [atTarget]: "proxy=1" };
    const pair = await own(startPair({ flow, targets: [target.address], ...queries }));
    match(await ask(pair.entry, "hello", "127.0.0.9"), /^PROXY TCP4 127\.0\.0\.9 127\.0\.0\.1 \d+ \d+\r\nhello$/);
    ok(await turnedAway(pair.entry, bytesOf("x"), "127.0.0.3"));
    ok(await turnedAway(pair.entry, bytesOf("GET / HTTP/1.1\r\n\r\n")));
    const held = await Promise.all([visit(pair.entry), visit(pair.entry)]);
    for (const conn of held) {
      await conn.write(bytesOf("x"));
      match(await firstWords(conn), /^PROXY/);
    }
    ok(await turnedAway(pair.entry, bytesOf("x")));
    for (const conn of held) conn.close();
    const entrance = flow === "reverse" ? pair.server : pair.client;
    await until("all is counted", () => Object.keys(entrance.handle.stats().rejections).length === 3);
    deepEqual(entrance.handle.stats().rejections, { denied: 1, blocked: 1, slot: 1 });
  }
});

ownedTest("rate holds in bursts of 100 ms with wire=1.14, whatever the size of a read", async (own) => {
  const rate = 1_000_000;
  const target = await own(Target.listen(async (conn) => {
    for (const block = new Uint8Array(65_536);;) await writeAll(conn, block);
  }));
  const pair = await own(startPair({ targets: [target.address], serverQuery: `rate=${rate / 125_000}` }));
  const conn = await visit(pair.entry);
  const buffer = new Uint8Array(1_048_576);
  let largest = 0;
  let total = 0;
  const started = performance.now();
  for (let quiet = started; performance.now() - started < 2_000;) {
    const count = await conn.read(buffer);
    ok(count !== null);
    total += count;
    if (performance.now() - quiet > 50) largest = Math.max(largest, count);
    quiet = performance.now();
  }
  conn.close();
  ok(total < rate * 2.4 && total > rate * 1.6, `${total} bytes in two seconds`);
  ok(largest <= rate / 10, `${largest} bytes came at once`);
});

ownedTest("several targets and a dead first one with wire=1.14", async (own) => {
  const [one, two] = [await own(Target.listen()), await own(Target.listen())];
  const dead = `127.0.0.1:${await freePort()}`;
  const pair = await own(startPair({ targets: [dead, one.address, two.address] }));
  for (let count = 0; count < 6; count++) equal(await ask(pair.entry, "hello"), "hello");
  ok(one.visitors.length > 0 && two.visitors.length > 0);
});

ownedTest("read ends silent sessions of wire=1.14 at both ends, TCP and UDP", async (own) => {
  const target = await own(Target.listen());
  for (const flow of FLOWS) {
    const pair = await own(startPair({ flow, targets: [target.address], serverQuery: "read=500ms" }));
    const conn = await visit(pair.entry);
    await conn.write(bytesOf("x"));
    equal(await firstWords(conn), "x");
    const visitor = await own(UdpVisitor.bind(pair.entry));
    await askUdp(visitor, bytesOf("one"));
    equal(await firstWords(conn), "");
    conn.close();
    for (const { handle } of [pair.server, pair.client]) {
      await until("no session is left", () => handle.stats().tcpSessions + handle.stats().udpSessions === 0);
    }
    await until("the target saw it", () => target.open.size === 0);
  }
});

for (const flow of FLOWS) {
  ownedTest(`an end of wire=1.14 that is stopped lets its sessions end (${flow})`, async (own) => {
    const target = await own(Target.listen());
    for (const who of ["server", "client"] as const) {
      const pair = await own(startPair({ flow, targets: [target.address] }));
      const conn = await visit(pair.entry);
      await conn.write(bytesOf("before"));
      equal(await firstWords(conn), "before");
      const closed = pair[who].handle.close({ graceMs: 5_000 });
      await conn.write(bytesOf("meanwhile"));
      equal(await firstWords(conn), "meanwhile");
      const started = performance.now();
      conn.close();
      await closed;
      ok(performance.now() - started < 2_000, "it went on after the last session");
      await until("the target saw it", () => target.open.size === 0);
    }
  });
}

ownedTest("NP_WORKERS is ignored with one warning by wire=1.14", async (own) => {
  const url = `server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1&wire=1.14`;
  const { logger } = await own(startInside(url, { workers: 2 }));
  const warnings = logger.lines.filter(({ level }) => level === "warn").map(({ message }) => message);
  deepEqual(warnings, ["NP_WORKERS is ignored: wire=1.14 runs in one thread"]);
});
