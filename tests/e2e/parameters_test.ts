/** What the parameters of a URL promise, seen from outside. */
import { writeAll } from "../../src/relay/write_all.ts";
import type { Conn } from "../../src/runtime/types.ts";
import { deepEqual, equal, match, ok } from "../harness.ts";
import { freePort, ownedTest, UdpVisitor } from "../unit/tunnel/forward_fixture.ts";
import { startInsideForwarder, startInsidePair } from "./in_process.ts";
import { askUdp, echoTcp, until } from "./load.ts";
import { echo, Target } from "./targets.ts";
import { ask, bytesOf, firstWords, turnedAway, visit } from "./visitors.ts";

const CLIENT_HELLO = new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]);

ownedTest("rate holds each direction within 10 % over 3 s", async (own) => {
  const rate = 2_000_000;
  let sunk = 0;
  const target = await own(Target.listen(async (conn) => {
    const block = new Uint8Array(65_536);
    const pour = (async () => {
      for (;;) await writeAll(conn, block);
    })();
    pour.catch(() => {});
    const buffer = new Uint8Array(65_536);
    for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) sunk += count;
  }));
  const pair = await own(startInsidePair({ targets: [target.address], serverQuery: `rate=${rate / 125_000}` }));
  const conn = await visit(pair.entry);
  let drunk = 0;
  const pour = (async () => {
    for (const block = new Uint8Array(65_536);;) await writeAll(conn, block);
  })();
  pour.catch(() => {});
  const drink = (async () => {
    const buffer = new Uint8Array(65_536);
    for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) drunk += count;
  })();
  drink.catch(() => {});
  // What fills the buffers on the way at first does not count.
  await until("data flows", () => sunk > 500_000 && drunk > 500_000);
  const [from, sunkBefore, drunkBefore] = [performance.now(), sunk, drunk];
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const seconds = (performance.now() - from) / 1_000;
  const measured = [(sunk - sunkBefore) / seconds, (drunk - drunkBefore) / seconds];
  conn.close();
  for (const speed of measured) ok(Math.abs(speed / rate - 1) <= 0.1, `${Math.round(speed)} of ${rate} bytes a second`);
});

ownedTest("slot closes the visitor over it at once and counts it", async (own) => {
  const target = await own(Target.listen());
  const pair = await own(startInsidePair({ targets: [target.address], serverQuery: "slot=2" }));
  const held = await Promise.all([visit(pair.entry), visit(pair.entry)]);
  for (const conn of held) {
    await conn.write(bytesOf("x"));
    equal(await firstWords(conn), "x");
  }
  const asked = performance.now();
  ok(await turnedAway(pair.entry, bytesOf("x")));
  ok(performance.now() - asked < 500);
  deepEqual(pair.server.handle.stats().rejections, { slot: 1 });
  for (const conn of held) conn.close();
  await until("slots are free", () => pair.server.handle.stats().tcpSessions === 0);
  equal(await ask(pair.entry, "again"), "again");
});

ownedTest("read ends a silent session at both ends", async (own) => {
  const target = await own(Target.listen());
  const pair = await own(startInsidePair({ targets: [target.address], serverQuery: "read=1s" }));
  const conn = await visit(pair.entry);
  await conn.write(bytesOf("x"));
  equal(await firstWords(conn), "x");
  const silent = performance.now();
  equal(await firstWords(conn), "");
  const took = performance.now() - silent;
  ok(took > 900 && took < 3_500, `${took} ms`);
  await until("the target is let go", () => target.open.size === 0);
  conn.close();
});

ownedTest("proxy=1 and proxy=2 tell the target who visits", async (own) => {
  const target = await own(Target.listen());
  const signature = "\r\n\r\n\0\r\nQUIT\n";
  for (const flow of ["reverse", "forward"] as const) {
    const query = flow === "reverse" ? "clientQuery" : "serverQuery";
    const v1 = await own(startInsidePair({ flow, targets: [target.address], [query]: "proxy=1" }));
    match(await ask(v1.entry, "hello", "127.0.0.9"), /^PROXY TCP4 127\.0\.0\.9 127\.0\.0\.1 \d+ \d+\r\n/);
    const v2 = await own(startInsidePair({ flow, targets: [target.address], [query]: "proxy=2" }));
    const conn = await visit(v2.entry, "127.0.0.9");
    await conn.write(bytesOf("hello"));
    const header = new Uint8Array(64);
    let have = 0;
    while (have < 28) have += (await conn.read(header.subarray(have))) ?? 0;
    equal(new TextDecoder().decode(header.subarray(0, 12)), signature);
    deepEqual([...header.subarray(12, 20)], [0x21, 0x11, 0, 12, 127, 0, 0, 9]);
    equal(header[24]! * 256 + header[25]!, conn.local.port);
    conn.close();
    const visitor = await own(UdpVisitor.bind(v2.entry));
    const first = await askUdp(visitor, bytesOf("one"));
    equal(new TextDecoder().decode(first.subarray(0, 12)), signature);
    deepEqual([...first.subarray(12, 20)], [0x21, 0x12, 0, 12, 127, 0, 0, 1]);
    equal(first[24]! * 256 + first[25]!, visitor.local.port);
    equal(new TextDecoder().decode(first.subarray(28)), "one");
    equal(new TextDecoder().decode(await askUdp(visitor, bytesOf("two"))), "two");
  }
});

ownedTest("block refuses SOCKS, HTTP and TLS, and never makes a server that speaks first wait", async (own) => {
  const target = await own(Target.listen(async (conn) => {
    await writeAll(conn, bytesOf("220 ready\r\n"));
    await echo(conn);
  }));
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ["1", new Uint8Array([5, 1, 0])],
    ["1", new Uint8Array([4, 1, 0, 80, 127, 0, 0, 1, 0])],
    ["2", bytesOf("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
    ["3", CLIENT_HELLO],
  ];
  for (const [block, opening] of cases) {
    const pair = await own(startInsidePair({ targets: [target.address], serverQuery: `block=${block}` }));
    const seen = target.visitors.length;
    const conn = await visit(pair.entry);
    await conn.write(opening);
    // The greeting may be on its way already; what the visitor says never arrives.
    let heard = "";
    for (let words = await firstWords(conn); words !== ""; words = await firstWords(conn)) heard += words;
    ok(heard === "" || heard === "220 ready\r\n", `block=${block}: heard ${JSON.stringify(heard)}`);
    conn.close();
    deepEqual(pair.server.handle.stats().rejections, { blocked: 1 }, `block=${block}`);
    ok(target.visitors.length <= seen + 1);
  }
  const pair = await own(startInsidePair({ targets: [target.address], serverQuery: "block=123" }));
  const conn = await visit(pair.entry);
  const asked = performance.now();
  equal(await firstWords(conn), "220 ready\r\n");
  ok(performance.now() - asked < 1_000);
  await conn.write(bytesOf("EHLO x\r\n"));
  equal(await firstWords(conn), "EHLO x\r\n");
  conn.close();
});

ownedTest("allow lets in whom it names, and deny wins", async (own) => {
  const target = await own(Target.listen());
  const serverQuery = "allow=127.0.0.2/31,127.0.0.9&deny=127.0.0.3";
  const pair = await own(startInsidePair({ targets: [target.address], serverQuery }));
  equal(await ask(pair.entry, "in", "127.0.0.2"), "in");
  equal(await ask(pair.entry, "in", "127.0.0.9"), "in");
  ok(await turnedAway(pair.entry, bytesOf("x"), "127.0.0.3"));
  ok(await turnedAway(pair.entry, bytesOf("x"), "127.0.0.1"));
  deepEqual(pair.server.handle.stats().rejections, { denied: 2 });
});

ownedTest("notcp and noudp switch one protocol off", async (own) => {
  const target = await own(Target.listen());
  const udpAlone = await own(startInsidePair({ targets: [target.address], serverQuery: "notcp=1" }));
  ok(await turnedAway(udpAlone.entry, bytesOf("x")));
  deepEqual(await askUdp(await own(UdpVisitor.bind(udpAlone.entry)), bytesOf("udp")), bytesOf("udp"));
  const tcpAlone = await own(startInsidePair({ targets: [target.address], serverQuery: "noudp=1" }));
  equal(await ask(tcpAlone.entry, "tcp"), "tcp");
  const visitor = await own(UdpVisitor.bind(tcpAlone.entry));
  equal(await askUdp(visitor, bytesOf("udp"), 600).then(() => "answered", () => "silence"), "silence");
});

ownedTest("dial chooses the source address, and any other when it is not this machine's", async (own) => {
  const target = await own(Target.listen());
  const pair = await own(startInsidePair({ targets: [target.address], clientQuery: "dial=127.0.0.5" }));
  await echoTcp(pair.entry, 1_000, 1);
  equal(target.visitors.at(-1)?.host, "127.0.0.5");
  const astray = await own(startInsidePair({ targets: [target.address], clientQuery: "dial=192.0.2.1" }));
  await echoTcp(astray.entry, 1_000, 1);
  await echoTcp(astray.entry, 1_000, 1);
  equal(astray.client.logger.lines.filter(({ level }) => level === "error").length, 1);
});

ownedTest("lbs chooses targets in turn, the least used, or by the visitor's address", async (own) => {
  const named = (name: string): Promise<Target> =>
    own(Target.listen(async (conn) => {
      await writeAll(conn, bytesOf(name));
      await echo(conn);
    }));
  const [a, b] = [await named("a"), await named("b")];
  const targets = [a.address, b.address];
  const turn = await own(startInsidePair({ targets, clientQuery: "lbs=0" }));
  const inTurn: string[] = [];
  for (let count = 0; count < 4; count++) inTurn.push(await ask(turn.entry, ""));
  ok(["abab", "baba"].includes(inTurn.join("")), inTurn.join(""));

  const least = await own(startInsidePair({ targets, clientQuery: "lbs=1" }));
  const held: [string, Conn][] = [];
  const hold = async (): Promise<string> => {
    const conn = await visit(least.entry);
    const name = await firstWords(conn);
    held.push([name, conn]);
    return name;
  };
  for (let count = 0; count < 4; count++) await hold();
  equal(held.map(([name]) => name).sort().join(""), "aabb");
  for (const [name, conn] of held) if (name === "a") conn.close();
  await until("target a is free", () => a.open.size === 0);
  await until("the client knows", () => least.client.handle.stats().tcpSessions === 2);
  deepEqual([await hold(), await hold()], ["a", "a"]);
  for (const [, conn] of held) conn.close();

  const hashed = await own(startInsidePair({ targets, clientQuery: "lbs=2" }));
  const choices = new Set<string>();
  for (let last = 1; last <= 12; last++) {
    const host = `127.0.0.${last}`;
    const first = await ask(hashed.entry, "", host);
    equal(await ask(hashed.entry, "", host), first);
    choices.add(first);
  }
  equal(choices.size, 2);
});

ownedTest("a target may be a name, and a dead first target is passed by", async (own) => {
  const target = await own(Target.listen());
  const dead = { host: "127.0.0.1", port: await freePort() };
  for (const flow of ["reverse", "forward"] as const) {
    const pair = await own(startInsidePair({ flow, targets: [dead, `localhost:${target.address.port}`] }));
    for (let count = 0; count < 6; count++) await echoTcp(pair.entry, 5_000, count);
    deepEqual(pair.server.handle.stats().rejections, {});
    deepEqual(pair.client.handle.stats().rejections, {});
  }
  const single = await own(startInsideForwarder([dead, `localhost:${target.address.port}`]));
  for (let count = 0; count < 6; count++) await echoTcp(single.entry, 5_000, count);
});

ownedTest("min and max bound the ready links", async (own) => {
  const target = await own(Target.listen());
  const pool = (pair: Awaited<ReturnType<typeof startInsidePair>>): number => pair.server.handle.stats().pool;
  const least = await own(startInsidePair({ targets: [target.address], clientQuery: "min=7" }));
  await until("7 links are ready", () => pool(least) === 7);
  const most = await own(startInsidePair({ targets: [target.address], serverQuery: "max=3", clientQuery: "min=9" }));
  await until("3 links are ready", () => pool(most) === 3);
  await Promise.all(Array.from({ length: 40 }, (_, seed) => echoTcp(most.entry, 20_000, seed)));
  ok(pool(most) <= 3, `${pool(most)} links`);
  await Promise.all(Array.from({ length: 9 }, (_, seed) => echoTcp(least.entry, 20_000, seed)));
  await until("surplus links are closed", () => pool(least) === 7, 20_000);
});
