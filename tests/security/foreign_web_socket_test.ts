/** Who stands on the path of WebSocket links: may end TLS in front of a tls=0 server, and talks nobody down. */
import { NodePassError } from "../../src/errors.ts";
import type { Conn, Listener } from "../../src/runtime/types.ts";
import { connectControl, type ConnectControlOptions } from "../../src/wire/secure/client_connect.ts";
import { createServerIdentity, deriveClientIdentity } from "../../src/wire/secure/identity.ts";
import { ProvenMode } from "../../src/wire/secure/proven_mode.ts";
import { deriveRoot } from "../../src/wire/secure/root_secret.ts";
import { KEY } from "../e2e/in_process.ts";
import { equal, match, ok, test } from "../harness.ts";
import { LinesLogger, runtime } from "../unit/tunnel/forward_fixture.ts";
import { StubServer, testAuthority, testCertificate } from "../unit/wire/secure/stub_server.ts";

const NAME = "tunnel.example";
const root = await deriveRoot(KEY);
const identity = await deriveClientIdentity(root);
const derived = await createServerIdentity(root, runtime.random);
const authority = await testAuthority();
const ofProxy = await testCertificate(authority, { name: NAME });

function options(port: number, logger = new LinesLogger()): ConnectControlOptions & { logger: LinesLogger } {
  return {
    runtime,
    logger,
    root,
    identity,
    host: "127.0.0.1",
    port,
    serverName: NAME,
    extraCaPem: authority.pem,
    pin: "discover",
    transport: "websocket",
    path: "/tunnel",
    proven: new ProvenMode(),
    resume: null,
    timeoutMs: 5_000,
  };
}

async function pump(from: Conn, to: Conn, change: (chunk: Uint8Array) => void): Promise<void> {
  const buffer = new Uint8Array(4_096);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      const chunk = buffer.slice(0, count);
      change(chunk);
      for (let at = 0; at < count;) at += await to.write(chunk.subarray(at));
    }
  } catch {
    // One of them hung up.
  }
  from.close();
  to.close();
}

/** A WebSocket proxy: its own TLS or none in front, what the server wants behind. */
async function through(
  server: StubServer,
  front: { readonly tls: boolean },
  behind: { readonly tls: boolean },
  change: (chunk: Uint8Array) => void,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const listener: Listener = await runtime.webSockets.listen({
    host: "127.0.0.1",
    port: 0,
    path: "/tunnel",
    certificate: front.tls ? ofProxy : null,
    handshakeTimeoutMs: 5_000,
  });
  const relays: Promise<unknown>[] = [];
  const relay = async (client: Conn): Promise<void> => {
    try {
      const conn = await runtime.webSockets.connect({
        host: "127.0.0.1",
        port: server.port,
        path: "/tunnel",
        timeoutMs: 5_000,
        serverName: behind.tls ? "nodepass.internal" : "127.0.0.1",
        trust: behind.tls ? { kind: "only", caPem: identity.caPem } : null,
      });
      await Promise.all([pump(client, conn, () => {}), pump(conn, client, change)]);
    } catch {
      client.close();
    }
  };
  const accepting = (async () => {
    for (let conn = await listener.accept(); conn !== null; conn = await listener.accept()) relays.push(relay(conn));
  })();
  try {
    await use(listener.local.port);
  } finally {
    listener.close();
    await accepting;
    await Promise.all(relays);
  }
}

async function failure(wish: ConnectControlOptions): Promise<NodePassError> {
  try {
    (await connectControl(wish)).conn.close();
  } catch (error) {
    ok(error instanceof NodePassError, String(error));
    return error;
  }
  throw new Error("It connected");
}

test("nobody on the path talks a client of a WebSocket server with TLS down to plain", async () => {
  await StubServer.run({ root, tls: "derived", certificate: derived, transport: "websocket" }, async (server) => {
    const lies = [["wire_mismatch", () => {}], ["wrong_key", (chunk: Uint8Array) => void (chunk[48] = 0)]] as const;
    for (const [code, lie] of lies) {
      await through(server, { tls: false }, { tls: true }, lie, async (port) => {
        const wish = options(port);
        const error = await failure(wish);
        equal(error.code, code, error.message);
        if (code === "wire_mismatch") {
          match(error.message, /set to TLS from the key \(tls=1\) but this connection is plain/);
        }
        equal(wish.proven.mode, null);
      });
    }
    equal(server.agreements.length, 0);
  });
});

test("a proxy with a certificate of its own may end TLS in front of a WebSocket server", async () => {
  for (const tls of ["plain", "derived"] as const) {
    const certificate = tls === "plain" ? null : derived;
    await StubServer.run({ root, tls, certificate, transport: "websocket" }, async (server) => {
      await through(server, { tls: true }, { tls: tls !== "plain" }, () => {}, async (port) => {
        const wish = options(port);
        const { conn, agreement, mode } = await connectControl(wish);
        equal(mode, "files");
        equal(agreement.serverTls, tls);
        equal(wish.logger.lines.length, 0);
        conn.close();
      });
    });
  }
});

test("a proxy in clear may stand in front of a WebSocket server that is set to tls=0, with one warning", async () => {
  await StubServer.run({ root, tls: "plain", certificate: null, transport: "websocket" }, async (server) => {
    await through(server, { tls: false }, { tls: false }, () => {}, async (port) => {
      const wish = options(port);
      const { conn, mode } = await connectControl(wish);
      equal(mode, "plain");
      conn.close();
      match(wish.logger.lines.map(({ message }) => message).join(), /^Tunnel is not encrypted: the server proved/);
    });
  });
});
