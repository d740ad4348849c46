import { defaultSettings } from "../../../src/config/settings.ts";
import type { ClientConfig } from "../../../src/config/types.ts";
import { createContext } from "../../../src/tunnel/create_context.ts";
import { startTunnel } from "../../../src/start/tunnel.ts";
import { startTunnelClient } from "../../../src/tunnel/client.ts";
import type { TunnelHandle } from "../../../src/tunnel/types.ts";
import { encodeConfigMessage } from "../../../src/wire/secure/config_message.ts";
import { encodeConfig } from "../../../src/wire/secure/frames.ts";
import { deriveRoot } from "../../../src/wire/secure/root_secret.ts";
import { equal, ok, test } from "../../harness.ts";
import { until, within } from "../../e2e/load.ts";
import { StubServer } from "../wire/secure/stub_server.ts";
import { dial, endedEmpty, forwardConfig, freePort, LinesLogger, runtime, TcpTarget } from "./forward_fixture.ts";

const root = await deriveRoot(forwardConfig([]).key.secret.reveal());
const plain = { root, tls: "plain", certificate: null } as const;
const forward = encodeConfig(encodeConfigMessage({
  flow: "forward",
  maxLinks: 64,
  tcp: true,
  udp: true,
  delaysSmallWrites: false,
  reportIntervalMs: 5_000,
  version: "1",
}));
/** Longer than any test may take: what waits for it was not cut short. */
const NEVER_MS = 60_000;
const CLOSE_MS = 2_000;

function closedSoon(client: TunnelHandle): Promise<void> {
  return within(CLOSE_MS, "the close", client.close({ graceMs: 0 }));
}

function clientConfig(port: number): ClientConfig {
  return forwardConfig([{ host: "127.0.0.1", port: 0 }], {
    mode: "dual",
    minLinks: 8,
    tunnel: { host: "127.0.0.1", port },
    settings: { ...defaultSettings, handshakeTimeoutMs: NEVER_MS, poolGetTimeoutMs: NEVER_MS },
  });
}

/** Starts a client of the server at `port`; `use` closes it. */
async function withClient(port: number, use: (client: TunnelHandle) => Promise<void>): Promise<void> {
  const owned = createContext(clientConfig(port), runtime, new LinesLogger());
  try {
    const client = await startTunnelClient(owned.context);
    await use(client);
  } finally {
    owned.close();
  }
}

test("startTunnel() gives up the first attempt of a client when its signal aborts", async () => {
  const silent = await TcpTarget.listen(async (conn) => {
    while (await conn.read(new Uint8Array(1_024)) !== null);
  });
  const starting = new AbortController();
  const config = clientConfig(silent.address.port);
  const started = startTunnel(config, { signal: starting.signal });
  await until("the attempt is under way", () => silent.open > 0);
  starting.abort();
  const client = await within(CLOSE_MS, "the end of the start", started);
  await within(CLOSE_MS, "the close", client.finished);
  await silent[Symbol.asyncDispose]();
});

test("startTunnelClient(): close() does not wait for a configuration that the server never sends", async () => {
  const port = await freePort();
  await withClient(port, (client) =>
    StubServer.run({ ...plain, port }, async (server) => {
      await until("the handshake is over", () => server.agreements.length === 1);
      await closedSoon(client);
    }));
});

test("startTunnelClient(): close() gives up links that are opening and visitors that wait for them", async () => {
  await StubServer.run({ ...plain, greeting: forward }, async (server) => {
    await withClient(server.port, async (client) => {
      await until("links are opening", () => server.prefaces.length >= 8);
      const visitor = await dial(client.entries[0]!);
      await until("the visitor waits", () => client.stats().tcpSessions === 1);
      await closedSoon(client);
      ok(await endedEmpty(visitor));
      visitor.close();
      equal(client.stats().pool, 0);
    });
  });
});
