/** Who stands on the path of WebSocket links: may end TLS in front of a tls=0 server, and talks nobody down. */
import type { Conn } from "../../src/runtime/types.ts";
import { connectControl } from "../../src/wire/secure/client_connect.ts";
import { createServerIdentity, deriveClientIdentity } from "../../src/wire/secure/identity.ts";
import { deriveRoot } from "../../src/wire/secure/root_secret.ts";
import { KEY } from "../e2e/in_process.ts";
import { equal, match, test } from "../harness.ts";
import { runtime } from "../unit/tunnel/forward_fixture.ts";
import { connectFailure, type ConnectWish, connectWish } from "../unit/wire/secure/connect_options.ts";
import { StubServer, testAuthority, testCertificate } from "../unit/wire/secure/stub_server.ts";
import { type Change, LIES, onPath } from "./on_path.ts";

const NAME = "tunnel.example";
const root = await deriveRoot(KEY);
const identity = await deriveClientIdentity(root);
const derived = await createServerIdentity(root, runtime.random);
const authority = await testAuthority();
const ofProxy = await testCertificate(authority, { name: NAME });

function wishFor(port: number): ConnectWish {
  const at = { host: "127.0.0.1", port };
  return connectWish({ root, identity }, at, { serverName: NAME, extraCaPem: authority.pem, transport: "websocket" });
}

/** A WebSocket proxy: its own TLS or none in front, what the server wants behind. */
async function through(
  server: StubServer,
  front: { readonly tls: boolean },
  behind: { readonly tls: boolean },
  change: Change,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const listener = await runtime.webSockets.listen({
    host: "127.0.0.1",
    port: 0,
    path: "/tunnel",
    certificate: front.tls ? ofProxy : null,
    handshakeTimeoutMs: 5_000,
  });
  const connect = (): Promise<Conn> =>
    runtime.webSockets.connect({
      host: "127.0.0.1",
      port: server.port,
      path: "/tunnel",
      timeoutMs: 5_000,
      serverName: behind.tls ? "nodepass.internal" : "127.0.0.1",
      trust: behind.tls ? { kind: "only", caPem: identity.caPem } : null,
    });
  await onPath(listener, connect, change, use);
}

test("nobody on the path talks a client of a WebSocket server with TLS down to plain", async () => {
  await StubServer.run({ root, tls: "derived", certificate: derived, transport: "websocket" }, async (server) => {
    for (const [code, lie] of LIES) {
      await through(server, { tls: false }, { tls: true }, lie, async (port) => {
        const wish = wishFor(port);
        const error = await connectFailure(wish);
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
        const wish = wishFor(port);
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
      const wish = wishFor(port);
      const { conn, mode } = await connectControl(wish);
      equal(mode, "plain");
      conn.close();
      match(wish.logger.lines.map(({ message }) => message).join(), /^Tunnel is not encrypted: the server proved/);
    });
  });
});
