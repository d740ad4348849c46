import type { Conn } from "../../src/runtime/types.ts";
import { createServerIdentity, deriveClientIdentity, INTERNAL_NAME } from "../../src/wire/secure/identity.ts";
import { formatGeneratedKey } from "../../src/generated_key.ts";
import { deriveRoot } from "../../src/wire/secure/root_secret.ts";
import { equal, test } from "../harness.ts";
import { runtime } from "../unit/tunnel/forward_fixture.ts";
import { connectFailure, type ConnectWish, connectWish } from "../unit/wire/secure/connect_options.ts";
import { StubServer, testAuthority, testCertificate } from "../unit/wire/secure/stub_server.ts";
import { LIES, onPath } from "./on_path.ts";

const NAME = "tunnel.example";
const root = await deriveRoot(formatGeneratedKey(runtime.random.bytes(32)));
const identity = await deriveClientIdentity(root);
const derived = await createServerIdentity(root, runtime.random);
const authority = await testAuthority();

function wishFor(port: number): ConnectWish {
  return connectWish({ root, identity }, { host: "127.0.0.1", port }, { serverName: NAME, extraCaPem: authority.pem });
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
    await onPath(listener, connect, () => {}, async (port) => {
      for (const pin of ["discover", "files"] as const) {
        equal((await connectFailure({ ...wishFor(port), pin })).code, "wrong_key");
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
    for (const [code, lie] of LIES) {
      const listener = await runtime.net.listen({ host: "127.0.0.1", port: 0 });
      await onPath(listener, connect, lie, async (port) => {
        const wish = wishFor(port);
        equal((await connectFailure(wish)).code, code);
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
      equal((await connectFailure({ ...wishFor(server.port), pin })).code, "wrong_key");
    }
    equal(server.agreements.length, 0);
  });
});
