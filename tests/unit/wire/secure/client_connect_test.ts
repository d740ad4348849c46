import type { NodePassError } from "../../../../src/errors.ts";
import type { Conn, Runtime } from "../../../../src/runtime/types.ts";
import {
  connectControl,
  connectLink,
  type ConnectLinkOptions,
  type ControlConnection,
} from "../../../../src/wire/secure/client_connect.ts";
import { createServerIdentity, deriveClientIdentity } from "../../../../src/wire/secure/identity.ts";
import { ProvenMode } from "../../../../src/wire/secure/proven_mode.ts";
import { formatGeneratedKey } from "../../../../src/generated_key.ts";
import { deriveRoot } from "../../../../src/wire/secure/root_secret.ts";
import { deepEqual, equal, match, ok, test } from "../../../harness.ts";
import { runtime } from "../../tunnel/forward_fixture.ts";
import { connectFailure, type ConnectWish, connectWish } from "./connect_options.ts";
import { StubServer, testAuthority, testCertificate } from "./stub_server.ts";

const newRoot = () => deriveRoot(formatGeneratedKey(runtime.random.bytes(32)));
const root = await newRoot();
const identity = await deriveClientIdentity(root);
const derived = await createServerIdentity(root, runtime.random);
const authority = await testAuthority();
const files = await testCertificate(authority, { name: "tunnel.example" });

function options(port: number, change: Partial<ConnectWish> = {}): ConnectWish {
  return connectWish({ root, identity }, { host: "127.0.0.1", port }, change);
}

/** What was said to the user. */
function linesOf(wish: ConnectWish): string[] {
  return wish.logger.lines.map(({ message }) => message);
}

async function oneByte(conn: Conn): Promise<void> {
  equal(await conn.read(new Uint8Array(1)), 1);
}

async function connected(wish: ConnectWish): Promise<ControlConnection> {
  const connection = await connectControl(wish);
  await oneByte(connection.conn);
  connection.conn.close();
  return connection;
}

async function linkOpens(wish: ConnectLinkOptions): Promise<void> {
  const conn = await connectLink(wish);
  await oneByte(conn);
  conn.close();
}

async function refuses(wish: ConnectWish, code: string, message: RegExp): Promise<void> {
  const error = await connectFailure(wish);
  match(error.message, message);
  equal(error.code, code, error.message);
  match(error.message, /^Cannot connect to 127\.0\.0\.1:\d+: [^.]*[^]*[^.]$/);
}

test("connectControl() finds a derived server at once, and links follow", async () => {
  await StubServer.run({ root, tls: "derived", certificate: derived }, async (server) => {
    const wish = options(server.port);
    const { agreement, mode } = await connected(wish);
    deepEqual([mode, wish.proven.mode, agreement.serverTls, server.accepted], ["derived", "derived", "derived", 1]);
    for (const kind of ["session", "datagram"] as const) {
      await linkOpens({ ...wish, mode, agreement, kind, counter: 5 });
      deepEqual(server.prefaces.at(-1), { kind, clientId: agreement.clientId, counter: 5 });
    }
    deepEqual(linesOf(wish), []);
  });
});

test("connectControl() finds a server with files by its real name", async () => {
  await StubServer.run({ root, tls: "files", certificate: files }, async (server) => {
    const named = { serverName: "tunnel.example", extraCaPem: authority.pem };
    const wish = options(server.port, named);
    const { agreement, mode } = await connected(wish);
    deepEqual([mode, agreement.serverTls, server.accepted], ["files", "files", 2]);
    equal((await connected(options(server.port, { ...named, pin: "files" }))).mode, "files");
    await linkOpens({ ...wish, mode, agreement: server.agreements.at(-1)!, kind: "session", counter: 1 });
  });
});

test("connectControl() takes plain from a server that proves it, with one warning", async () => {
  await StubServer.run({ root, tls: "plain", certificate: null }, async (server) => {
    const wish = options(server.port);
    const { agreement, mode } = await connected(wish);
    equal(mode, "plain");
    await connected(wish);
    equal(server.accepted, 4);
    equal(linesOf(wish).length, 1);
    match(linesOf(wish)[0]!, /not encrypted.*tls=0/);
    ok(server.failures.every((message) => message.includes("TLS hello")), server.failures.join());
    await linkOpens({ ...wish, mode, agreement: server.agreements.at(-1)!, kind: "session", counter: 1 });
    equal(agreement.serverTls, "plain");
  });
});

test("connectControl() never weakens a mode that was proved", async () => {
  const wish = options(0);
  let port = 0;
  await StubServer.run({ root, tls: "derived", certificate: derived }, async (server) => {
    port = server.port;
    await connected({ ...wish, port });
  });
  await StubServer.run({ root, tls: "plain", certificate: null, port }, async (plain) => {
    await refuses({ ...wish, port }, "wire_mismatch", /spoke TLS before and does not now: restart this client/);
    equal(plain.agreements.length, 0);
  });
});

test("connectControl() strengthens a mode that was proved", async () => {
  const wish = options(0);
  let port = 0;
  await StubServer.run({ root, tls: "plain", certificate: null }, async (server) => {
    port = server.port;
    await connected({ ...wish, port });
  });
  await StubServer.run({ root, tls: "derived", certificate: derived, port }, async (strong) => {
    equal((await connected({ ...wish, port })).mode, "derived");
    equal(wish.proven.mode, "derived");
    equal(strong.agreements.length, 1);
  });
});

test("connectControl() refuses plain where the URL pins TLS", async () => {
  await StubServer.run({ root, tls: "plain", certificate: null }, async (server) => {
    for (const pin of ["derived", "files"] as const) {
      await refuses(options(server.port, { pin }), "wire_mismatch", /does not speak TLS: take tls out/);
    }
    equal(server.agreements.length, 0);
  });
});

test("connectControl() says that the keys differ, in every mode", async () => {
  const other = await newRoot();
  const wrong = { root: other, identity: await deriveClientIdentity(other) };
  const named = { ...wrong, serverName: "tunnel.example", extraCaPem: authority.pem };
  for (const [tls, certificate] of [["plain", null], ["derived", derived], ["files", files]] as const) {
    await StubServer.run({ root, tls, certificate }, async (server) => {
      await refuses(options(server.port, named), "wrong_key", /set the same key on both ends/);
      if (tls !== "plain") await refuses(options(server.port, { ...named, pin: tls }), "wrong_key", /same key/);
      equal(server.agreements.length, 0);
    });
  }
});

test("connectControl() says what is wrong with a certificate", async () => {
  const past = new Date(Date.now() - 2 * 86_400_000);
  const cases = [
    [
      { name: "tunnel.example", notBefore: past, notAfter: new Date(Date.now() - 86_400_000) },
      /expired on \d{4}-\d\d-\d\d/,
    ],
    [{ name: "tunnel.example", notBefore: new Date(Date.now() + 80_000_000) }, /valid from .*clock/],
    [{ name: "tunnel.example", selfSigned: true }, /self-signed: give its PEM with crt=/],
    [{ name: "other.example" }, /is for other\.example and not for tunnel\.example: set sni=/],
  ] as const;
  for (const [kind, message] of cases) {
    const certificate = await testCertificate(authority, kind);
    await StubServer.run({ root, tls: "files", certificate }, async (server) => {
      const wish = { serverName: "tunnel.example", extraCaPem: authority.pem };
      await refuses(options(server.port, wish), "certificate", message);
      equal(server.agreements.length, 0);
    });
  }
  await StubServer.run({ root, tls: "files", certificate: files }, async (server) => {
    await refuses(
      options(server.port, { serverName: "tunnel.example" }),
      "certificate",
      /Test authority, which is not trusted/,
    );
  });
});

test("connectControl() says that the pinned mode is another one", async () => {
  await StubServer.run({ root, tls: "files", certificate: files }, async (withFiles) => {
    await refuses(options(withFiles.port, { pin: "derived" }), "wire_mismatch", /certificate of its own: set tls=2/);
    await StubServer.run({ root, tls: "derived", certificate: derived }, async (withKey) => {
      await refuses(options(withKey.port, { pin: "files" }), "wire_mismatch", /certificate of its key: set tls=1/);
    });
  });
});

test("connectControl() stops at once where nobody listens", async () => {
  const listener = await runtime.net.listen({ host: "127.0.0.1", port: 0 });
  const { port } = listener.local;
  listener.close();
  let attempts = 0;
  const counted: Runtime = {
    ...runtime,
    tls: {
      ...runtime.tls,
      connect: (wish) => {
        attempts++;
        return runtime.tls.connect(wish);
      },
    },
  };
  await refuses(options(port, { runtime: counted }), "connection_refused", /refused/);
  equal(attempts, 1);
});

/** Answers whatever comes as an HTTP server does. */
async function httpServer(run: (port: number) => Promise<void>): Promise<void> {
  const listener = await runtime.net.listen({ host: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for (;;) {
      const conn = await listener.accept();
      if (conn === null) return;
      try {
        const bytes = new Uint8Array(4_096);
        let seen = "";
        // Like a real one it waits for the end of a line.
        while (!seen.includes("\n")) {
          const count = await conn.read(bytes);
          if (count === null) break;
          seen += String.fromCharCode(...bytes.subarray(0, count));
        }
        await conn.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400"));
        await conn.closeWrite();
        while (await conn.read(bytes) !== null);
      } catch {
        // The client hung up.
      }
      conn.close();
    }
  })();
  try {
    await run(listener.local.port);
  } finally {
    listener.close();
    await serving;
  }
}

test("connectControl() recognises a Go server by its HTTP answer, pinned or not", async () => {
  await httpServer(async (port) => {
    for (const pin of ["discover", "derived", "files"] as const) {
      await refuses(options(port, { pin }), "wire_mismatch", /answers HTTP.*set wire=1\.14/);
    }
  });
});

test("connectControl() gives up at its deadline and on request", async () => {
  const listener = await runtime.net.listen({ host: "127.0.0.1", port: 0 });
  const held: Conn[] = [];
  const accepting = (async () => {
    for (let conn = await listener.accept(); conn !== null; conn = await listener.accept()) held.push(conn);
  })();
  const { port } = listener.local;
  try {
    const proven = new ProvenMode();
    proven.prove("plain");
    await refuses(options(port, { timeoutMs: 100 }), "timed_out", /timed out/);
    await refuses(options(port, { timeoutMs: 100, proven }), "timed_out", /did not answer within 100 ms/);
    const controller = new AbortController();
    const cancelled = connectFailure(options(port, { proven, signal: controller.signal }));
    controller.abort();
    equal((await cancelled).code, "closed");
  } finally {
    listener.close();
    for (const conn of held) conn.close();
    await accepting;
  }
});

test("connectControl() speaks WebSocket in every mode", async () => {
  const named = { serverName: "tunnel.example", extraCaPem: authority.pem, transport: "websocket" as const };
  for (const [tls, certificate] of [["derived", derived], ["files", files], ["plain", null]] as const) {
    await StubServer.run({ root, tls, certificate, transport: "websocket" }, async (server) => {
      const wish = options(server.port, named);
      const { agreement, mode } = await connected(wish);
      deepEqual([mode, agreement.serverTls, agreement.transport], [tls, tls, "websocket"]);
      equal(linesOf(wish).length, tls === "plain" ? 1 : 0);
      const conn = await connectLink({ ...wish, mode, agreement, kind: "session", counter: 3 });
      await oneByte(conn);
      conn.close();
    });
  }
});

test("connectControl() says that the types or the paths differ", async () => {
  await StubServer.run({ root, tls: "plain", certificate: null }, async (tcp) => {
    const webSocket = await connectFailure(options(tcp.port, { transport: "websocket" }));
    ok(["connection_reset", "closed", "protocol", "wire_mismatch", "io"].includes(webSocket.code), webSocket.code);
    await StubServer.run({ root, tls: "plain", certificate: null, transport: "websocket" }, async (server) => {
      await refuses(options(server.port), "closed", /hung up on the hello: set the same type/);
      await refuses(options(server.port, { transport: "websocket", path: "/no" }), "wire_mismatch", /upgrade/);
    });
  });
});

test("connectLink() rejects when nobody listens", async () => {
  const listener = await runtime.net.listen({ host: "127.0.0.1", port: 0 });
  listener.close();
  const wish = options(listener.local.port);
  const key = await root.deriveMacKey("link");
  const agreement = { clientId: "00".repeat(16), linkKey: key };
  for (const mode of ["plain", "derived"] as const) {
    const error = await connectLink({ ...wish, mode, agreement, kind: "session", counter: 0 }).then(
      () => null,
      (error) => error as NodePassError,
    );
    equal(error?.code, "connection_refused");
  }
});
