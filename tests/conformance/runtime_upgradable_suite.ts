import { X509Certificate } from "node:crypto";
import type {
  Listener,
  Runtime,
  ServerCertificate,
  TlsConnectOptions,
  UpgradableConn,
} from "../../src/runtime/types.ts";
import { deepEqual, equal, rejects, test } from "../harness.ts";
import { createAuthority } from "./runtime_certificates.ts";
import { accepted, failure, type Own, owning, readExactly, text, timeoutMs, turn, writeAll } from "./runtime_scope.ts";
import { movesBothWays, writerWaits } from "./runtime_streams.ts";

const name = "nodepass.internal";

/** A listener, a certificate that nobody vouches for, and options of a client that takes any. */
async function upgradable(runtime: Runtime, own: Own): Promise<{
  listener: Listener<UpgradableConn>;
  certificate: ServerCertificate;
  leaf: Uint8Array;
  options: TlsConnectOptions;
}> {
  const authority = await createAuthority("nobody's authority");
  const certificate = await authority.issue(["another.internal"]);
  const listener = own(await runtime.tls.listenUpgradable({ host: "127.0.0.1", port: 0 }));
  const { port } = listener.local;
  return {
    listener,
    certificate,
    leaf: new Uint8Array(new X509Certificate(certificate.chainPem).raw),
    options: {
      host: "127.0.0.1",
      port,
      serverName: name,
      trust: { kind: "any" },
      wantPeerCertificate: true,
      timeoutMs,
    },
  };
}

/** `tls.listenUpgradable` and clients that trust any certificate: what every adapter must do. */
export function upgradableSuite(title: string, runtime: Runtime): void {
  const { tls, net } = runtime;

  test(`${title}: listenUpgradable() serves plain and TLS connections side by side, with half-close`, () =>
    owning(async (own) => {
      const { listener, certificate, leaf, options } = await upgradable(runtime, own);
      for (let turn = 0; turn < 2; turn++) {
        const [plainClient, plain] = await Promise.all([net.connect(options), accepted(listener)]);
        await movesBothWays(own(plainClient), own(plain), 4_000_000);
        const [client, server] = await Promise.all([
          tls.connect(options),
          accepted(listener).then((conn) => own(conn).upgrade(certificate)),
        ]);
        deepEqual(own(client).peerCertificate, leaf);
        equal(own(server).peerCertificate, null);
        deepEqual([server.remote, server.local], [client.local, client.remote]);
        await movesBothWays(client, server, 4_000_000);
      }
    }));

  test(`${title}: tls.connect() that trusts any certificate takes any name or IP address, and must look at what it gets`, () =>
    owning(async (own) => {
      const { listener, certificate, leaf, options } = await upgradable(runtime, own);
      for (const serverName of ["127.0.0.1", "::1", "tunnel.example"]) {
        const [client, server] = await Promise.all([
          tls.connect({ ...options, serverName }),
          accepted(listener).then((conn) => own(conn).upgrade(certificate)),
        ]);
        deepEqual(own(client).peerCertificate, leaf);
        server.close();
      }
      const { wantPeerCertificate: _, ...blind } = options;
      const accepting = accepted(listener);
      await rejects(tls.connect(blind), failure("usage", /wantPeerCertificate/));
      own(await accepting);
    }));

  test(`${title}: an UpgradableConn waits for the choice, whatever arrives before it`, () =>
    owning(async (own) => {
      const { listener, certificate, options } = await upgradable(runtime, own);
      const connecting = tls.connect(options);
      const late = own(await accepted(listener));
      for (let count = 0; count < 3; count++) await turn();
      const [client, server] = await Promise.all([connecting, late.upgrade(certificate)]);
      await writeAll(own(client), text("in"));
      equal((await readExactly(own(server), 2)).length, 2);

      const writer = own(await net.connect(options));
      await writeAll(writer, text("early"));
      await writer.closeWrite();
      const plain = own(await accepted(listener));
      for (let count = 0; count < 3; count++) await turn();
      equal(new TextDecoder().decode(await readExactly(plain, 9)), "early");
      equal(await plain.read(new Uint8Array(1)), null);
      await writeAll(plain, text("answer"));
      equal((await readExactly(writer, 6)).length, 6);

      const leaver = await net.connect(options);
      const left = own(await accepted(listener));
      leaver.close();
      for (let count = 0; count < 3; count++) await turn();
      equal(await left.read(new Uint8Array(1)), null);
    }));

  test(`${title}: an UpgradableConn is one thing alone`, () =>
    owning(async (own) => {
      const { listener, certificate, options } = await upgradable(runtime, own);
      const [plainClient, plain] = await Promise.all([net.connect(options), accepted(listener)]);
      own(plainClient);
      await writeAll(own(plain), text("x"));
      await rejects(plain.upgrade(certificate), failure("usage"));
      const connecting = tls.connect(options);
      const conn = own(await accepted(listener));
      const upgrading = conn.upgrade(certificate);
      await rejects(conn.upgrade(certificate), failure("usage"));
      own(await connecting);
      own(await upgrading);
      await rejects(conn.read(new Uint8Array(1)), failure("usage"));
      await rejects(conn.write(new Uint8Array(1)), failure("usage"));
      await rejects(conn.closeWrite(), failure("usage"));
    }));

  test(`${title}: UpgradableConn.upgrade() fails for what is no TLS client and a bad certificate, accept() goes on`, () =>
    owning(async (own) => {
      const { listener, certificate, options } = await upgradable(runtime, own);
      const stranger = own(await net.connect(options));
      await writeAll(stranger, text("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
      const conn = own(await accepted(listener));
      await rejects(conn.upgrade(certificate), failure("protocol"));
      await rejects(conn.upgrade(certificate), failure("closed"));

      const leaver = await net.connect(options);
      const left = own(await accepted(listener));
      const upgrading = rejects(left.upgrade(certificate), failure("connection_reset"));
      leaver.close();
      await upgrading;

      const other = own(await net.connect(options));
      const kept = own(await accepted(listener));
      const bad = { chainPem: "nothing", keyPem: "nothing" };
      await rejects(kept.upgrade(bad), failure("certificate", /^Cannot use the certificate: /));
      equal(await other.read(new Uint8Array(1)).catch(() => null), null);

      const [client, server] = await Promise.all([
        tls.connect(options),
        accepted(listener).then((next) => own(next).upgrade(certificate)),
      ]);
      own(client);
      own(server);
    }));

  test(`${title}: UpgradableConn.close() ends a handshake that the other side holds open, and is idempotent`, () =>
    owning(async (own) => {
      const { listener, certificate, options } = await upgradable(runtime, own);
      const silent = own(await net.connect(options));
      const conn = await accepted(listener);
      const upgrading = rejects(conn.upgrade(certificate), failure("closed"));
      conn.close();
      conn.close();
      conn.reset();
      await upgrading;
      equal(await silent.read(new Uint8Array(1)).catch(() => null), null);
      await net.connect(options).then(own);
      const unused = await accepted(listener);
      unused.close();
      await rejects(unused.read(new Uint8Array(1)), failure("closed"));
      await rejects(unused.write(new Uint8Array(1)), failure("closed"));
      await rejects(unused.upgrade(certificate), failure("closed"));
    }));

  test(`${title}: an UpgradableConn resets before and after the choice`, () =>
    owning(async (own) => {
      const { listener, certificate, options } = await upgradable(runtime, own);
      const ended = (conn: { read(into: Uint8Array): Promise<number | null> }): Promise<string> =>
        conn.read(new Uint8Array(1)).then(() => "end", (error) => runtime.toError(error).code);
      const first = own(await net.connect(options));
      (await accepted(listener)).reset();
      const plainEnd = await ended(first);
      const [client, conn] = await Promise.all([
        tls.connect(options),
        accepted(listener).then(async (conn) => {
          await conn.upgrade(certificate);
          return conn;
        }),
      ]);
      conn.reset();
      const tlsEnd = await ended(own(client));
      // The listener is on `node:net` everywhere, and that can reset.
      equal(plainEnd, "connection_reset");
      equal(tlsEnd, "connection_reset");
    }));

  test(`${title}: an UpgradableConn inside TLS makes writers wait`, () =>
    owning(async (own) => {
      const { listener, certificate, options } = await upgradable(runtime, own);
      const [client, server] = await Promise.all([
        tls.connect(options),
        accepted(listener).then((conn) => own(conn).upgrade(certificate)),
      ]);
      await writerWaits(own(client), own(server));
      await writerWaits(server, client);
    }));

  test(`${title}: listenUpgradable() on a taken port says address_in_use; close() ends accept() and frees the port`, () =>
    owning(async (own) => {
      const { listener, certificate, options } = await upgradable(runtime, own);
      const { port } = listener.local;
      const again = tls.listenUpgradable({ host: "127.0.0.1", port });
      await rejects(again, failure("address_in_use", /^Cannot listen on 127\.0\.0\.1:\d+: address already in use$/));
      const [client, conn] = await Promise.all([
        tls.connect(options),
        accepted(listener).then((next) => own(next).upgrade(certificate)),
      ]);
      const accepting = listener.accept();
      listener.close();
      listener.close();
      equal(await accepting, null);
      equal(await listener.accept(), null);
      await writeAll(conn, text("on"));
      equal((await readExactly(own(client), 2)).length, 2);
      await turn();
      own(await tls.listenUpgradable({ host: "127.0.0.1", port }));
    }));
}
