import { defaultSettings } from "../../../../src/config/settings.ts";
import { parseTunnelUrl } from "../../../../src/config/tunnel_url.ts";
import type { ServerConfig, Settings } from "../../../../src/config/types.ts";
import { writeAll } from "../../../../src/relay/write_all.ts";
import type { Conn } from "../../../../src/runtime/types.ts";
import { createContext } from "../../../../src/tunnel/create_context.ts";
import { startTunnelServer114 } from "../../../../src/tunnel/nodepass_1_14/server.ts";
import type { TunnelHandle } from "../../../../src/tunnel/types.ts";
import { bearerToken } from "../../../../src/wire/nodepass_1_14/token.ts";
import { until } from "../../../e2e/load.ts";
import { deepEqual, equal, match, ok, rejects } from "../../../harness.ts";
import { endedEmpty, LinesLogger, ownedTest, readAll, runtime } from "../forward_fixture.ts";

const KEY = "0123456789abcdef";

ownedTest("startTunnelServer114 answers handshakes until the right one, then names links", async (own) => {
  const scene = await own(Scene.start());
  match(await scene.ask("GET / HTTP/1.1\r\nHost: none\r\nAuthorization: Bearer 00\r\n\r\n"), /^HTTP\/1.1 401 /);
  match(await scene.ask("GET /x HTTP/1.1\r\nHost: none\r\n\r\n"), /^HTTP\/1.1 404 /);
  const answer = await scene.handshake();
  match(answer, /^HTTP\/1\.1 200 OK\r\nConnection: close\r\n/);
  match(answer, /\r\n\r\n\{"flow":"-","max":3,"tls":"0","type":"0"\}\n$/);
  const ids: string[] = [];
  for (let count = 0; count < 4; count++) ids.push((await scene.link()).id);
  equal(ids[0], "00000000");
  equal(new Set(ids).size, 4);
  await until("links wait", () => scene.handle.stats().pool === 3);
  const [peer] = scene.handle.stats().peers;
  deepEqual([peer?.id, peer?.pool, peer?.sessions], ["127.0.0.1", 3, 0]);
  ok(
    scene.logger.lines.some(({ message }) =>
      /^Tunnel handshaked: 127\.0\.0\.1:\d+ <-> 127\.0\.0\.1:\d+ in \d+ms$/.test(message)
    ),
  );
  await until("both refused callers count", () => scene.handle.stats().rejections.handshake === 2);
  // What exceeds max is closed without a name.
  ok(await endedEmpty(await scene.dial()));
});

ownedTest("startTunnelServer114 closes connections of other addresses while a client is served", async (own) => {
  const scene = await own(Scene.start());
  await scene.handshake();
  await scene.link();
  ok(await endedEmpty(await scene.dial("127.0.0.2")));
  equal(scene.handle.stats().peers.length, 1);
});

ownedTest("startTunnelServer114 answers handshakes again when the control connection has ended", async (own) => {
  const scene = await own(Scene.start());
  await scene.handshake();
  const control = await scene.link();
  const link = await scene.link();
  control.conn.close();
  ok(await endedEmpty(link.conn));
  match(await scene.handshake("127.0.0.2"), / 200 OK/);
  equal((await scene.link("127.0.0.2")).id, "00000000");
});

ownedTest("startTunnelServer114 does not wait for ever for the control connection", async (own) => {
  const scene = await own(Scene.start({ handshakeTimeoutMs: 200 }));
  await scene.handshake();
  await until(
    "the client is given up",
    () => scene.logger.lines.some(({ message }) => /^Client disconnected/.test(message)),
  );
  match(await scene.handshake(), / 200 OK/);
});

ownedTest("startTunnelServer114 takes one of two clients that ask at the same time", async (own) => {
  const scene = await own(Scene.start());
  const slow = await scene.dial("127.0.0.2");
  await writeAll(slow, new TextEncoder().encode("GET / HTTP/1.1\r\nHost: none\r\n"));
  await scene.handshake();
  await writeAll(slow, new TextEncoder().encode(`Authorization: Bearer ${await bearerToken(KEY)}\r\n\r\n`));
  equal((await readAll(slow)).length, 0);
  equal((await scene.link()).id, "00000000");
});

ownedTest("startTunnelServer114 lets sessions outlive the control connection", async (own) => {
  const scene = await own(Scene.start());
  await scene.handshake();
  const control = await scene.link();
  const link = await scene.link();
  const visitor = scene.keep(await runtime.net.connect({ ...scene.handle.entries[0]!, timeoutMs: 5_000 }));
  await writeAll(visitor, Uint8Array.of(1));
  equal(await link.conn.read(new Uint8Array(9)), 1);
  control.conn.close();
  await until("the client is gone", () => scene.handle.stats().peers.length === 0);
  await writeAll(link.conn, Uint8Array.of(2, 3));
  equal(await visitor.read(new Uint8Array(9)), 2);
  equal(scene.handle.stats().tcpSessions, 1);
});

ownedTest("startTunnelServer114 refuses WebSocket links", async (own) => {
  await rejects(own(Scene.start({}, { transport: "websocket" })), { code: "not_supported" });
});

/** A server, and whoever calls it. */
class Scene implements AsyncDisposable {
  readonly handle: TunnelHandle;
  readonly logger: LinesLogger;
  readonly #close: () => void;
  readonly #conns: Conn[] = [];

  private constructor(handle: TunnelHandle, logger: LinesLogger, close: () => void) {
    this.handle = handle;
    this.logger = logger;
    this.#close = close;
  }

  static async start(settings: Partial<Settings> = {}, changes: Partial<ServerConfig> = {}): Promise<Scene> {
    const url = `server://${KEY}@127.0.0.1:0/127.0.0.1:0?wire=1.14&mode=1&max=3`;
    const { config } = parseTunnelUrl(url, { settings: { ...defaultSettings, ...settings }, strict: true });
    const logger = new LinesLogger();
    const owned = createContext({ ...config as ServerConfig, ...changes }, runtime, logger);
    try {
      return new Scene(await startTunnelServer114(owned.context), logger, () => owned.close());
    } catch (error) {
      owned.close();
      throw error;
    }
  }

  async dial(from = "127.0.0.1"): Promise<Conn> {
    const to = { host: "127.0.0.1", port: this.handle.addr!.port, timeoutMs: 5_000 };
    return this.keep(await runtime.net.connect({ ...to, localHost: from }));
  }

  keep(conn: Conn): Conn {
    this.#conns.push(conn);
    return conn;
  }

  async ask(request: string, from?: string): Promise<string> {
    const conn = await this.dial(from);
    await writeAll(conn, new TextEncoder().encode(request));
    return new TextDecoder().decode(await readAll(conn));
  }

  async handshake(from?: string): Promise<string> {
    return await this.ask(
      `GET / HTTP/1.1\r\nHost: none\r\nAuthorization: Bearer ${await bearerToken(KEY)}\r\n\r\n`,
      from,
    );
  }

  /** A connection after the handshake, and its name. */
  async link(from?: string): Promise<{ readonly conn: Conn; readonly id: string }> {
    const conn = await this.dial(from);
    const name = new Uint8Array(4);
    for (let have = 0; have < 4;) {
      const count = await conn.read(name.subarray(have));
      if (count === null) throw new Error("closed before it had a name");
      have += count;
    }
    return { conn, id: Array.from(name, (byte) => byte.toString(16).padStart(2, "0")).join("") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const conn of this.#conns) conn.close();
    await this.handle.close({ graceMs: 0 });
    this.#close();
  }
}
