import { NodePassError } from "../../src/errors.ts";
import { createLogger } from "../../src/log/logger.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import type { Conn, Listener } from "../../src/runtime/types.ts";
import { connectControl, type ConnectControlOptions } from "../../src/wire/secure/client_connect.ts";
import { createServerIdentity, deriveClientIdentity, INTERNAL_NAME } from "../../src/wire/secure/identity.ts";
import { ProvenMode } from "../../src/wire/secure/proven_mode.ts";
import { formatGeneratedKey } from "../../src/generated_key.ts";
import { deriveRoot } from "../../src/wire/secure/root_secret.ts";
import { equal, ok, test } from "../harness.ts";
import { StubServer, testAuthority, testCertificate } from "../unit/wire/secure/stub_server.ts";

const NAME = "tunnel.example";
const runtime = await detectRuntime();
const root = await deriveRoot(formatGeneratedKey(runtime.random.bytes(32)));
const identity = await deriveClientIdentity(root);
const derived = await createServerIdentity(root, runtime.random);
const authority = await testAuthority();

function options(port: number): ConnectControlOptions {
  return {
    runtime,
    logger: createLogger({ level: "none", format: "text", color: false, write: () => {}, wall: () => Date.now() }),
    root,
    identity,
    host: "127.0.0.1",
    port,
    serverName: NAME,
    extraCaPem: authority.pem,
    pin: "discover",
    transport: "tcp",
    path: "/",
    proven: new ProvenMode(),
    resume: null,
    timeoutMs: 5_000,
  };
}

/** Sends on what arrives, changed or not, until either side ends. */
async function pump(from: Conn, to: Conn, change: (chunk: Uint8Array) => void): Promise<void> {
  const buffer = new Uint8Array(4_096);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      const chunk = buffer.subarray(0, count);
      change(chunk);
      for (let at = 0; at < count;) at += await to.write(chunk.subarray(at));
    }
  } catch {
    // One of them hung up.
  }
  from.close();
  to.close();
}

/** Someone on the path: accepts from the client, connects to the server, and may change what the server says. */
async function inTheMiddle(
  listener: Listener,
  connect: () => Promise<Conn>,
  change: (chunk: Uint8Array) => void,
  run: (port: number) => Promise<void>,
): Promise<void> {
  const relays: Promise<void>[] = [];
  const relay = async (client: Conn & { handshake?: () => Promise<void> }): Promise<void> => {
    try {
      await client.handshake?.();
      const server = await connect();
      await Promise.all([pump(client, server, () => {}), pump(server, client, change)]);
    } catch {
      client.close();
    }
  };
  const accepting = (async () => {
    for (let conn = await listener.accept(); conn !== null; conn = await listener.accept()) relays.push(relay(conn));
  })();
  try {
    await run(listener.local.port);
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

test("a trusted certificate does not let anybody read a tunnel", async () => {
  const [own, forged] = [
    await testCertificate(authority, { name: NAME }),
    await testCertificate(authority, { name: NAME }),
  ];
  await StubServer.run({ root, tls: "files", certificate: own }, async (server) => {
    const listener = await runtime.tls.listen({ host: "127.0.0.1", port: 0, certificate: forged });
    const connect = (): Promise<Conn> =>
      runtime.tls.connect({
        host: "127.0.0.1",
        port: server.port,
        timeoutMs: 5_000,
        serverName: NAME,
        trust: { kind: "system", extraCaPem: authority.pem },
      });
    await inTheMiddle(listener, connect, () => {}, async (port) => {
      for (const pin of ["discover", "files"] as const) {
        equal((await failure({ ...options(port), pin })).code, "wrong_key");
      }
    });
    equal(server.agreements.length, 0);
  });
});

test("nobody on the path talks a client of a TLS server down to plain", async () => {
  await StubServer.run({ root, tls: "derived", certificate: derived }, async (server) => {
    const connect = (): Promise<Conn> =>
      runtime.tls.connect({
        host: "127.0.0.1",
        port: server.port,
        timeoutMs: 5_000,
        serverName: INTERNAL_NAME,
        trust: { kind: "only", caPem: identity.caPem },
      });
    const lies = [["wire_mismatch", () => {}], ["wrong_key", (chunk: Uint8Array) => void (chunk[48] = 0)]] as const;
    for (const [code, lie] of lies) {
      const listener = await runtime.net.listen({ host: "127.0.0.1", port: 0 });
      await inTheMiddle(listener, connect, lie, async (port) => {
        const wish = options(port);
        equal((await failure(wish)).code, code);
        equal(wish.proven.mode, null);
      });
    }
    equal(server.agreements.length, 0);
  });
});

test("a server of another key is refused although its authority has the same name", async () => {
  const stranger = await deriveRoot(formatGeneratedKey(runtime.random.bytes(32)));
  const certificate = await createServerIdentity(stranger, runtime.random);
  await StubServer.run({ root: stranger, tls: "derived", certificate }, async (server) => {
    for (const pin of ["discover", "derived"] as const) {
      equal((await failure({ ...options(server.port), pin })).code, "wrong_key");
    }
    equal(server.agreements.length, 0);
  });
});
