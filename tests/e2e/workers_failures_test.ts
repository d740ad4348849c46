/** Threads that crash, clients that come back elsewhere, ends that wait for their sessions. */
import { writeAll } from "../../src/relay/write_all.ts";
import type { SocketAddress } from "../../src/runtime/types.ts";
import type { SessionInfo } from "../../src/tunnel/types.ts";
import { equal, ok, rejects } from "../harness.ts";
import { dial, ownedTest } from "../unit/tunnel/forward_fixture.ts";
import { Tap } from "../security/tap.ts";
import { clientUrl, serverUrl, startInside, startInsidePair } from "./in_process.ts";
import { echoTcpMany, echoUdp, until, within } from "./load.ts";
import { Target } from "./targets.ts";
import { ask, bytesOf, firstWords, visit } from "./visitors.ts";
import { answersSoon, byWorker, mortalThreads, startMortal } from "./workers_fixture.ts";

ownedTest("a worker that crashes takes its own sessions along and is started again", async (own) => {
  const target = await own(Target.listen());
  const { host, port } = target.address;
  const threads = mortalThreads();
  const { handle, logger } = await own(startMortal(`client://127.0.0.1:0/${host}:${port}?mode=1&slot=100`, threads));
  const entry = handle.addr!;
  await echoTcpMany(entry, 20, 200_000);
  const conns = await Promise.all(Array.from({ length: 40 }, () => visit(entry)));
  await until("all are in", () => handle.stats().tcpSessions === 40);
  const counted = handle.stats().tcpRx;
  const before = byWorker(handle.sessions());
  threads.kill(0);
  await until("its sessions are gone", () => handle.stats().tcpSessions === before.get("2"));
  equal(handle.stats().tcpRx, counted, "what it counted stays counted");
  ok(
    logger.lines.some(({ level, message, fields }) =>
      level === "error" && message.startsWith("Worker ended") && fields.reason === "killed by the test"
    ),
  );
  let alive = 0;
  for (const conn of conns) {
    const said = await writeAll(conn, bytesOf("still")).then(() => firstWords(conn)).catch(() => "");
    if (said === "still") alive++;
    conn.close();
  }
  equal(alive, before.get("2"), "the sessions of the other worker go on");
  await until("it is started again", () => threads.started === 3);
  await until("no slot is lost", () => handle.stats().tcpSessions === 0);
  await echoTcpMany(entry, 60, 600_000);
  ok(await bothServe(entry, () => handle.sessions()), "the new worker gets visitors too");
});

ownedTest("a start of workers that is given up ends at once", async (own) => {
  const silent = await own(Target.listen(async (conn) => {
    const ignored = new Uint8Array(1_024);
    while (await conn.read(ignored) !== null);
  }));
  const giveUp = new AbortController();
  const url = clientUrl(silent.address, "127.0.0.1:9", "mode=2&tls=1");
  const starting = startMortal(url, mortalThreads(), giveUp.signal);
  starting.catch(() => {});
  await until("the workers have called", () => silent.open.size > 0);
  giveUp.abort();
  await within(2_000, "the start to end", rejects(starting, { code: "closed" }));
});

/** Visitors come until both workers have some. */
async function bothServe(entry: SocketAddress, sessions: () => readonly SessionInfo[]): Promise<boolean> {
  const end = performance.now() + 10_000;
  while (performance.now() < end) {
    const held = await Promise.all(Array.from({ length: 12 }, () => visit(entry)));
    await until("they are in", () => sessions().length >= 12);
    const served = byWorker(sessions()).size;
    for (const conn of held) conn.close();
    if (served === 2) return true;
    await until("they are gone", () => sessions().length === 0);
  }
  return false;
}

for (const flow of ["reverse", "forward"] as const) {
  ownedTest(`a server goes on after each of its workers crashed (${flow})`, async (own) => {
    const target = await own(Target.listen());
    const threads = mortalThreads();
    const { host, port } = target.address;
    const there = flow === "reverse" ? "127.0.0.1:0" : `${host}:${port}`;
    const here = flow === "reverse" ? `${host}:${port}` : "127.0.0.1:0";
    const mode = flow === "reverse" ? 1 : 2;
    const server = await own(startMortal(serverUrl(there, `mode=${mode}&tls=1`), threads));
    const client = await own(startInside(clientUrl(server.handle.addr!, here, "mode=2&min=6")));
    const entry = (flow === "reverse" ? server : client).handle.entries[0]!;
    for (const [round, worker] of [0, 1].entries()) {
      ok(await answersSoon(entry), "before");
      threads.kill(worker);
      await until("it is started again", () => threads.started === 3 + round);
      await until("the client is there", () => server.handle.stats().peers.length === 1);
      ok(await answersSoon(entry), "after");
    }
    await echoTcpMany(entry, 60, 600_000);
    await echoUdp(entry);
  });
}

ownedTest("a client that lost its control channel resumes at any worker, and its sessions go on", async (own) => {
  const target = await own(Target.listen());
  const server = await own(startInside(serverUrl("127.0.0.1:0", "mode=1&tls=0"), { workers: 2 }));
  const tap = await own(Tap.listen(server.handle.addr!));
  const { host, port } = target.address;
  const client = await own(startInside(clientUrl(tap.address, `${host}:${port}`, "mode=2&min=6&noudp=1")));
  const entry = server.handle.entries[0]!;
  ok(await answersSoon(entry));
  const conns = await Promise.all(Array.from({ length: 12 }, () => visit(entry)));
  const id = server.handle.stats().peers[0]!.id;
  const handshakes = (): number =>
    client.logger.lines.filter(({ message }) => message.startsWith("Tunnel handshaked")).length;
  for (let round = 0; round < 6; round++) {
    const before = handshakes();
    tap.cutControl();
    await until("it came back", () => handshakes() > before);
    equal(client.handle.stats().peers[0]?.id, id, "it is known");
    for (const conn of conns) {
      await writeAll(conn, bytesOf("on"));
      equal(await firstWords(conn), "on");
    }
    equal(await ask(entry, "new"), "new");
  }
  equal(server.handle.stats().peers.length, 1);
  for (const conn of conns) conn.close();
});

ownedTest("a close waits for the sessions of every worker", async (own) => {
  const target = await own(Target.listen());
  const pair = await own(startInsidePair({ targets: [target.address], settings: { workers: 2 } }));
  const conns = await Promise.all(Array.from({ length: 16 }, () => dial(pair.entry)));
  for (const conn of conns) {
    await writeAll(conn, bytesOf("first"));
    equal(await firstWords(conn), "first");
  }
  equal(byWorker(pair.server.handle.sessions()).size, 2);
  const closed = pair.server.handle.close({ graceMs: 8_000 });
  for (const conn of conns) {
    await writeAll(conn, bytesOf("second"));
    equal(await firstWords(conn), "second", "a session goes on while the server closes");
    await conn.closeWrite();
  }
  for (const conn of conns) conn.close();
  await within(5_000, "the end", closed);
  await pair.server.handle.finished;
  equal(pair.server.handle.stats().tcpSessions, 0);
  ok(pair.server.handle.stats().tcpRx > 0, "what was counted can still be read");
});
