import { defaultSettings } from "../../../../src/config/settings.ts";
import { parseTunnelUrl } from "../../../../src/config/tunnel_url.ts";
import type { ClientConfig } from "../../../../src/config/types.ts";
import { writeAll } from "../../../../src/relay/write_all.ts";
import type { Conn, SocketAddress } from "../../../../src/runtime/types.ts";
import { createContext } from "../../../../src/tunnel/create_context.ts";
import { startTunnelClient114 } from "../../../../src/tunnel/nodepass_1_14/client.ts";
import type { TunnelHandle } from "../../../../src/tunnel/types.ts";
import { until } from "../../../e2e/load.ts";
import { deepEqual, equal, ok, rejects } from "../../../harness.ts";
import { freePort, LinesLogger, ownedTest, runtime, TcpTarget } from "../forward_fixture.ts";

const KEY = "0123456789abcdef";

ownedTest("startTunnelClient114 says in one line that its key is wrong, and goes on trying", async (own) => {
  const server = await own(answering("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"));
  const client = await own(Client.start(server.address));
  await client.said(2, /^Client error: Server refused the key: set the same key on both ends$/);
  deepEqual(client.handle.stats().peers, []);
});

ownedTest("startTunnelClient114 says that it has no QUIC links", async (own) => {
  const server = await own(answering(terms({ type: "1" })));
  const client = await own(Client.start(server.address));
  await client.said(1, /^Client error: .*type=1 \(QUIC\)/);
});

ownedTest("startTunnelClient114 shakes hands again when no control connection is named", async (own) => {
  let asked = 0;
  let links = 0;
  const server = await own(TcpTarget.listen(async (conn) => {
    const end = await endOfLink(conn);
    if (end !== null) {
      await writeAll(conn, Uint8Array.of(0, 0, 0, ++links));
      return void await end();
    }
    asked++;
    await writeAll(conn, new TextEncoder().encode(terms({})));
  }));
  const client = await own(Client.start(server.address));
  await client.said(1, /^Client error: Server named no control connection/);
  await until("it asks again", () => asked > 1);
});

ownedTest("startTunnelClient114 keeps min links and not more than the server takes", async (own) => {
  for (const [min, max, expected] of [[3, 9, 3], [9, 3, 3]] as const) {
    let links = 0;
    const server = await own(TcpTarget.listen(async (conn) => {
      const end = await endOfLink(conn);
      if (end === null) return await writeAll(conn, new TextEncoder().encode(terms({ max })));
      await writeAll(conn, Uint8Array.of(0, 0, 0, links++));
      await end();
    }));
    const client = await own(Client.start(server.address, `min=${min}`));
    await until("links wait", () => client.handle.stats().pool === expected);
    equal(links, expected + 1);
    equal(client.handle.stats().peers[0]?.address, `127.0.0.1:${server.address.port}`);
  }
});

ownedTest("startTunnelClient114 ends at once, wherever it is", async (own) => {
  const silent = await own(TcpTarget.listen(untilClosed));
  const client = Client.start(silent.address);
  await until("it called", () => silent.open > 0);
  const gone = Client.start({ host: "127.0.0.1", port: await freePort() });
  for (const started of [client, gone]) {
    const before = performance.now();
    await (await started)[Symbol.asyncDispose]();
    ok(performance.now() - before < 1_000);
  }
});

ownedTest("startTunnelClient114 fails for good when visitors cannot arrive", async (own) => {
  const taken = await own(TcpTarget.echo());
  const server = await own(answering(terms({ flow: "+" })));
  await rejects(own(Client.start(server.address, "", taken.address)), /Cannot listen on 127\.0\.0\.1/);
});

/** The answer of a server. */
function terms(changes: Readonly<Record<string, unknown>>): string {
  const body = `${JSON.stringify({ flow: "-", max: 1024, tls: "0", type: "0", ...changes })}\n`;
  return `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n` +
    body;
}

/** Answers every call with the same text. */
function answering(text: string): Promise<TcpTarget> {
  return TcpTarget.listen(async (conn) => {
    await conn.read(new Uint8Array(4_096));
    await writeAll(conn, new TextEncoder().encode(text));
  });
}

/** Null for a caller with a request, which is read; else the caller waits for a name, and this is its end. */
async function endOfLink(conn: Conn): Promise<(() => Promise<unknown>) | null> {
  const { promise: silent, resolve } = Promise.withResolvers<"silent">();
  const timer = setTimeout(() => resolve("silent"), 100);
  const first = conn.read(new Uint8Array(4_096));
  const heard = await Promise.race([first, silent]).finally(() => clearTimeout(timer));
  return typeof heard === "number" ? null : async () => await first !== null && await untilClosed(conn);
}

async function untilClosed(conn: Conn): Promise<void> {
  while (await conn.read(new Uint8Array(4_096)) !== null);
}

class Client implements AsyncDisposable {
  readonly handle: TunnelHandle;
  readonly #logger: LinesLogger;
  readonly #close: () => void;

  private constructor(handle: TunnelHandle, logger: LinesLogger, close: () => void) {
    this.handle = handle;
    this.#logger = logger;
    this.#close = close;
  }

  static async start(server: SocketAddress, query = "", target: SocketAddress = server): Promise<Client> {
    const url = `client://${KEY}@127.0.0.1:${server.port}/127.0.0.2:${target.port}?wire=1.14&mode=2&${query}`;
    const settings = { ...defaultSettings, handshakeTimeoutMs: 500 };
    const { config } = parseTunnelUrl(url, { settings, strict: true });
    const logger = new LinesLogger();
    const owned = createContext({ ...config as ClientConfig, targets: [target] }, runtime, logger);
    try {
      return new Client(await startTunnelClient114(owned.context), logger, () => owned.close());
    } catch (error) {
      owned.close();
      throw error;
    }
  }

  /** Waits until a line came so often. */
  async said(times: number, pattern: RegExp): Promise<void> {
    const count = (): number => this.#logger.lines.filter(({ message }) => pattern.test(message)).length;
    await until(`${pattern} came`, () => count() >= times);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close({ graceMs: 0 });
    this.#close();
  }
}
