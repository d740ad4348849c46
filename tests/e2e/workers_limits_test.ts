/** What two threads may do together: as much as one, and on a port of their own. */
import { defaultSettings } from "../../src/config/settings.ts";
import { parseTunnelUrl } from "../../src/config/tunnel_url.ts";
import { NodePassError } from "../../src/errors.ts";
import { writeAll } from "../../src/relay/write_all.ts";
import { startTunnel } from "../../src/start/tunnel.ts";
import type { Conn } from "../../src/runtime/types.ts";
import { equal, ok, rejects } from "../harness.ts";
import { LinesLogger, ownedTest, runtime } from "../unit/tunnel/forward_fixture.ts";
import { serverUrl, startInside, startInsidePair } from "./in_process.ts";
import { until } from "./load.ts";
import { Target } from "./targets.ts";
import { byWorker } from "./workers_fixture.ts";
import { visit } from "./visitors.ts";

const WORKERS = { workers: 2 };

ownedTest("slot holds for all workers together, to the session", async (own) => {
  const target = await own(Target.listen());
  const { host, port } = target.address;
  const { handle } = await own(startInside(`client://127.0.0.1:0/${host}:${port}?mode=1&slot=40`, WORKERS));
  const burst = (length: number): Promise<Conn[]> => Promise.all(Array.from({ length }, () => visit(handle.addr!)));
  // Room for these is left: so many that both workers get some of them.
  const early = await burst(30);
  await until("they are in", () => handle.stats().tcpSessions === 30);
  const late = await burst(60);
  await until("everybody was let in or turned away", () => (handle.stats().rejections.slot ?? 0) === 50);
  equal(handle.stats().tcpSessions, 40);
  equal(byWorker(handle.sessions()).size, 2);
  for (const conn of [...early, ...late]) conn.close();
  await until("all slots are free", () => handle.stats().tcpSessions === 0);
  const again = await burst(40);
  await until("as many are in as before", () => handle.stats().tcpSessions === 40);
  equal(handle.stats().rejections.slot, 50);
  for (const conn of again) conn.close();
});

ownedTest("rate holds for all workers together, and one session has all of it", async (own) => {
  const target = await own(Target.listen(async (conn) => {
    const buffer = new Uint8Array(65_536);
    while (await conn.read(buffer) !== null);
  }));
  const { host, port } = target.address;
  const bytesPerSecond = 32 * 125_000;
  for (const sessions of [1, 12]) {
    const { handle } = await own(startInside(`client://127.0.0.1:0/${host}:${port}?mode=1&rate=32`, WORKERS));
    const started = performance.now();
    const conns = await Promise.all(Array.from({ length: sessions }, () => visit(handle.addr!)));
    const flood = conns.map((conn) => pour(conn));
    await until("a second's worth has passed", () => handle.stats().tcpTx >= bytesPerSecond, 5_000);
    const seconds = (performance.now() - started) / 1_000;
    const rate = handle.stats().tcpTx / seconds;
    for (const conn of conns) conn.close();
    await Promise.all(flood);
    ok(rate <= bytesPerSecond * 1.2, `${sessions} sessions: ${rate} bytes a second`);
    ok(rate >= bytesPerSecond * 0.7, `${sessions} sessions: ${rate} bytes a second`);
  }
});

/** Writes until the connection is closed. */
async function pour(conn: Conn): Promise<void> {
  const bytes = new Uint8Array(16_384);
  try {
    for (;;) await writeAll(conn, bytes);
  } catch {
    // Closed by the test.
  }
}

ownedTest("a port that somebody else has is one clear error, and workers do not slip in beside others", async (own) => {
  const target = await own(Target.listen());
  const { host, port } = target.address;
  const first = await own(startInside(`client://127.0.0.1:0/${host}:${port}?mode=1`, WORKERS));
  const taken = first.handle.addr!.port;
  for (const workers of [1, 2]) {
    await rejects(startInside(`client://127.0.0.1:${taken}/${host}:${port}?mode=1`, { workers }), (error: unknown) => {
      ok(error instanceof NodePassError);
      equal(error.code, "address_in_use");
      return true;
    });
  }
});

ownedTest("each worker of a client counts as a client", async (own) => {
  const target = await own(Target.listen());
  const server = await own(startInside(serverUrl("127.0.0.1:0", "mode=1&tls=0&clients=1"), WORKERS));
  const pair = { targets: [target.address], serverQuery: "clients=3", settings: WORKERS };
  const { server: other } = await own(startInsidePair(pair));
  equal(other.handle.stats().peers.length, 2);
  equal(server.handle.stats().peers.length, 0);
});

ownedTest("a runtime that cannot go into a thread is refused", async () => {
  const { config } = parseTunnelUrl("client://127.0.0.1:0/127.0.0.1:9?mode=1", {
    settings: { ...defaultSettings, ...WORKERS },
    strict: true,
  });
  await rejects(startTunnel(config, { runtime: { ...runtime }, logger: new LinesLogger() }), { code: "not_supported" });
});
