import { X509Certificate } from "node:crypto";
import type {
  Listener,
  Runtime,
  ServerCertificate,
  TlsConn,
  TlsConnectOptions,
  TlsListener,
} from "../../src/runtime/types.ts";
import { deepEqual, equal, ok, rejects, test, throws } from "../harness.ts";
import { type Authority, createAuthority } from "./runtime_certificates.ts";
import { stalledListener } from "./runtime_children.ts";
import { accepted, failure, type Own, owning, readExactly, text, timeoutMs, writeAll } from "./runtime_scope.ts";
import { movesBothWays, writerWaits } from "./runtime_streams.ts";

const name = "nodepass.internal";

/** A listener with a good certificate of a fresh authority, and options of a client that trusts it. */
export async function tlsServer(
  runtime: Runtime,
  own: Own,
  names: readonly string[] = [name],
  ageDays?: number,
): Promise<{
  authority: Authority;
  certificate: ServerCertificate;
  listener: TlsListener;
  options: TlsConnectOptions;
}> {
  const authority = await createAuthority("test authority");
  const certificate = await authority.issue(names, ageDays);
  const listener = own(await runtime.tls.listen({ host: "127.0.0.1", port: 0, certificate }));
  const options: TlsConnectOptions = {
    host: "127.0.0.1",
    port: listener.local.port,
    serverName: name,
    trust: { kind: "only", caPem: authority.caPem },
    timeoutMs,
  };
  return { authority, certificate, listener, options };
}

/** Both ends of a connection whose handshake is over. */
export async function tlsPair(
  runtime: Runtime,
  own: Own,
  listener: Listener<TlsConn>,
  options: TlsConnectOptions,
): Promise<[client: TlsConn, server: TlsConn]> {
  const accepting = accepted(listener).then(async (server) => {
    await own(server).handshake();
    return server;
  });
  const client = own(await runtime.tls.connect(options));
  return [client, await accepting];
}

/** What a client that must be refused gets, while the server's handshake ends without harm. */
async function refused(
  runtime: Runtime,
  own: Own,
  listener: Listener<TlsConn>,
  options: TlsConnectOptions,
  expected: (error: unknown) => boolean,
): Promise<void> {
  const serving = accepted(listener).then((server) => own(server).handshake()).catch(() => {});
  await rejects(runtime.tls.connect(options), expected);
  await serving;
}

/** TLS: what every adapter's `tls` must do. */
export function tlsSuite(title: string, runtime: Runtime): void {
  const { tls, net } = runtime;

  for (const wantPeerCertificate of [false, true]) {
    const label = wantPeerCertificate ? " with wantPeerCertificate" : "";

    test(`${title}: tls.connect()${label} trusts the given authority; 4 MB each way, half-close`, () =>
      owning(async (own) => {
        const { listener, options, certificate } = await tlsServer(runtime, own);
        const [client, server] = await tlsPair(runtime, own, listener, { ...options, wantPeerCertificate });
        await movesBothWays(client, server, 4_000_000);
        equal(server.peerCertificate, null);
        const leaf = client.peerCertificate;
        if (!wantPeerCertificate) return equal(leaf, null);
        deepEqual(leaf, new Uint8Array(new X509Certificate(certificate.chainPem).raw));
      }));

    test(`${title}: tls.connect()${label} refuses another authority, another name, an expired leaf`, () =>
      owning(async (own) => {
        const { listener, options } = await tlsServer(runtime, own);
        const base = { ...options, wantPeerCertificate };
        const other = await createAuthority("test authority");
        const bad = failure("certificate", /^Cannot connect to 127\.0\.0\.1:\d+: ./);
        await refused(runtime, own, listener, { ...base, trust: { kind: "only", caPem: other.caPem } }, bad);
        await refused(runtime, own, listener, { ...base, trust: { kind: "system" } }, bad);
        await refused(runtime, own, listener, { ...base, serverName: "another.internal" }, bad);
        const expired = await tlsServer(runtime, own, [name], 60);
        await refused(runtime, own, expired.listener, { ...expired.options, wantPeerCertificate }, bad);
      }));

    test(`${title}: tls.connect()${label} gives up on a server that is silent or stalled`, () =>
      owning(async (own) => {
        const { options } = await tlsServer(runtime, own);
        const listener = own(await net.listen({ host: "127.0.0.1", port: 0 }));
        const accepting = accepted(listener);
        const silent = { ...options, wantPeerCertificate, port: listener.local.port };
        await rejects(tls.connect({ ...silent, timeoutMs: 50 }), failure("timed_out"));
        own(await accepting);
        const second = accepted(listener);
        const controller = new AbortController();
        const attempt = tls.connect({ ...silent, signal: controller.signal });
        own(await second);
        controller.abort();
        await rejects(attempt, failure("closed", /cancelled/));
        const stalled = own(await stalledListener());
        await rejects(tls.connect({ ...silent, port: stalled.port, timeoutMs: 50 }), failure("timed_out"));
      }));

    test(`${title}: tls.connect()${label} to something that does not speak TLS says protocol`, () =>
      owning(async (own) => {
        const { options } = await tlsServer(runtime, own);
        const listener = own(await net.listen({ host: "127.0.0.1", port: 0 }));
        const answering = accepted(listener).then((conn) =>
          writeAll(own(conn), text("HTTP/1.1 400 Bad Request\r\n\r\n"))
        );
        const attempt = tls.connect({ ...options, wantPeerCertificate, port: listener.local.port });
        await rejects(attempt, failure("protocol"));
        await answering;
      }));
  }

  test(`${title}: tls.connect() verifies an IP address as the server's name`, () =>
    owning(async (own) => {
      const { listener, options } = await tlsServer(runtime, own, ["127.0.0.1"]);
      await tlsPair(runtime, own, listener, { ...options, serverName: "127.0.0.1" });
      const exact = { ...options, serverName: "127.0.0.1", wantPeerCertificate: true };
      await tlsPair(runtime, own, listener, exact);
      await refused(runtime, own, listener, { ...exact, serverName: "127.0.0.2" }, failure("certificate"));
    }));

  test(`${title}: tls.connect() with the system's roots takes extra ones`, () =>
    owning(async (own) => {
      const { listener, options, authority } = await tlsServer(runtime, own);
      const trust = { kind: "system", extraCaPem: authority.caPem } as const;
      await tlsPair(runtime, own, listener, { ...options, trust });
    }));

  test(`${title}: tls.connect() uses localHost as the source address`, () =>
    owning(async (own) => {
      const { listener, options } = await tlsServer(runtime, own);
      const [, server] = await tlsPair(runtime, own, listener, { ...options, localHost: "127.0.0.3" });
      equal(server.remote.host, "127.0.0.3");
    }));

  test(`${title}: TlsConn.handshake() rejects what is not a TLS client, accept() goes on`, () =>
    owning(async (own) => {
      const { listener, options } = await tlsServer(runtime, own);
      const stranger = own(await net.connect({ host: "127.0.0.1", port: listener.local.port, timeoutMs }));
      const conn = own(await accepted(listener));
      const handshake = rejects(conn.handshake(), failure("protocol"));
      const reading = rejects(conn.read(new Uint8Array(1)));
      await writeAll(stranger, text("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
      await Promise.all([handshake, reading]);
      const leaver = await net.connect({ host: "127.0.0.1", port: listener.local.port, timeoutMs });
      const left = own(await accepted(listener));
      leaver.close();
      await rejects(left.handshake(), failure("connection_reset"));
      await tlsPair(runtime, own, listener, options);
    }));

  test(`${title}: TlsConn.close() ends a handshake that the other side holds open`, () =>
    owning(async (own) => {
      const { listener, options } = await tlsServer(runtime, own);
      const silent = own(await net.connect({ host: "127.0.0.1", port: listener.local.port, timeoutMs }));
      const conn = await accepted(listener);
      const handshake = rejects(conn.handshake(), failure("closed"));
      const reading = rejects(conn.read(new Uint8Array(1)), failure("closed"));
      conn.close();
      conn.close();
      await Promise.all([handshake, reading]);
      silent.close();
      await tlsPair(runtime, own, listener, options);
    }));

  test(`${title}: TlsConn.close() is idempotent and ends a pending read`, () =>
    owning(async (own) => {
      const { listener, options } = await tlsServer(runtime, own);
      for (const wantPeerCertificate of [false, true]) {
        const [client, server] = await tlsPair(runtime, own, listener, { ...options, wantPeerCertificate });
        const other = server.read(new Uint8Array(1)).catch(() => null);
        const reading = rejects(client.read(new Uint8Array(1)), (error) => runtime.toError(error).code === "closed");
        client.close();
        client.close();
        await reading;
        await rejects(client.write(new Uint8Array(1)), (error) => runtime.toError(error).code === "closed");
        equal(await other, null);
        server.close();
        await rejects(server.read(new Uint8Array(1)), (error) => runtime.toError(error).code === "closed");
      }
    }));

  test(`${title}: TlsConn.write() waits for a reader that does not read`, () =>
    owning(async (own) => {
      const { listener, options } = await tlsServer(runtime, own);
      for (const wantPeerCertificate of [false, true]) {
        const [client, server] = await tlsPair(runtime, own, listener, { ...options, wantPeerCertificate });
        for (const [from, to] of [[client, server], [server, client]] as const) {
          await writerWaits(from, to);
        }
      }
    }));

  test(`${title}: TlsListener.setCertificate() changes what new clients see and keeps old links`, () =>
    owning(async (own) => {
      const { listener, options } = await tlsServer(runtime, own);
      const [client, server] = await tlsPair(runtime, own, listener, options);
      const accepting = accepted(listener);
      const next = await createAuthority("next authority");
      const { port } = listener.local;
      await listener.setCertificate(await next.issue([name]));
      equal(listener.local.port, port);
      const connecting = tls.connect({ ...options, trust: { kind: "only", caPem: next.caPem } });
      const renewed = own(await accepting);
      await renewed.handshake();
      own(await connecting);
      await refused(runtime, own, listener, options, failure("certificate"));
      await writeAll(client, text("still here"));
      equal(new TextDecoder().decode(await readExactly(server, 10)), "still here");
    }));

  test(`${title}: TlsListener.setCertificate() with a bad certificate fails and keeps the old one`, () =>
    owning(async (own) => {
      const { listener, options, certificate, authority } = await tlsServer(runtime, own);
      const other = await authority.issue([name]);
      for (const bad of [{ chainPem: "nothing", keyPem: "nothing" }, { ...certificate, keyPem: other.keyPem }]) {
        await rejects(listener.setCertificate(bad), failure("certificate", /^Cannot use the certificate: /));
        const again = tls.listen({ host: "127.0.0.1", port: 0, certificate: bad });
        await rejects(again, failure("certificate", /^Cannot use the certificate: /));
      }
      await tlsPair(runtime, own, listener, options);
    }));

  test(`${title}: TlsListener.close() ends accept() and frees the port, links stay`, () =>
    owning(async (own) => {
      const { listener, options, certificate } = await tlsServer(runtime, own);
      const [client, server] = await tlsPair(runtime, own, listener, options);
      const accepting = listener.accept();
      listener.close();
      listener.close();
      equal(await accepting, null);
      equal(await listener.accept(), null);
      await writeAll(server, text("on"));
      equal((await readExactly(client, 2)).length, 2);
      await new Promise((resolve) => setTimeout(resolve, 0));
      own(await tls.listen({ host: "127.0.0.1", port: listener.local.port, certificate }));
    }));

  test(`${title}: tls.listen() on a taken port says address_in_use`, () =>
    owning(async (own) => {
      const { listener, certificate } = await tlsServer(runtime, own);
      const again = tls.listen({ host: "127.0.0.1", port: listener.local.port, certificate });
      await rejects(again, failure("address_in_use", /^Cannot listen on 127\.0\.0\.1:\d+: address already in use$/));
    }));

  test(`${title}: tls.inspect() reads a leaf that nobody vouches for`, () =>
    owning(async (own) => {
      const { listener, options } = await tlsServer(runtime, own, ["old.example", "127.0.0.1"], 60);
      const serving = accepted(listener).then((conn) => own(conn).handshake()).catch(() => {});
      const leaf = await tls.inspect(options);
      await serving;
      ok(leaf !== null);
      equal(leaf.subject, "CN=old.example");
      equal(leaf.issuer, "CN=test authority");
      deepEqual(leaf.names, ["old.example", "127.0.0.1"]);
      ok(leaf.notAfter.getTime() < Date.now() && leaf.notBefore < leaf.notAfter);
    }));

  test(`${title}: tls.inspect() says null where nobody speaks TLS, and fails where nobody listens`, () =>
    owning(async (own) => {
      const listener = own(await net.listen({ host: "127.0.0.1", port: 0 }));
      const options = { host: "127.0.0.1", port: listener.local.port, serverName: name, timeoutMs };
      const answering = accepted(listener).then((conn) => writeAll(own(conn), text("SSH-2.0-OpenSSH_9.2\r\n")));
      equal(await tls.inspect(options), null);
      await answering;
      const closing = accepted(listener).then((conn) => conn.close());
      equal(await tls.inspect(options), null);
      await closing;
      listener.close();
      await new Promise((resolve) => setTimeout(resolve, 0));
      await rejects(tls.inspect(options), failure("connection_refused"));
    }));

  test(`${title}: toError() keeps a NodePassError and words the others`, () => {
    const known = runtime.toError(new Error("something odd."), "Cannot try");
    equal(known.message, "Cannot try: something odd");
    equal(known.code, "io");
    equal(runtime.toError(known), known);
    throws(() => {
      throw runtime.toError(Object.assign(new Error("x"), { code: "ECONNRESET" }));
    }, failure("connection_reset", /^Connection reset by the other side$/));
  });
}
