import type { Conn, Runtime, ServerCertificate, WebSocketConnectOptions } from "../../src/runtime/types.ts";
import { equal, match, rejects, test } from "../harness.ts";
import { createAuthority } from "./runtime_certificates.ts";
import { stalledListener } from "./runtime_children.ts";
import {
  accepted,
  checksum,
  drain,
  failure,
  type Own,
  owning,
  pattern,
  readExactly,
  text,
  timeoutMs,
  writeAll,
} from "./runtime_scope.ts";
import { movesBothWays, writerWaits } from "./runtime_streams.ts";

type WebSocketListener = Awaited<ReturnType<Runtime["webSockets"]["listen"]>>;

const path = "/tunnel";

async function webSocketServer(
  runtime: Runtime,
  own: Own,
  certificate: ServerCertificate | null = null,
  handshakeTimeoutMs = 5_000,
): Promise<[listener: WebSocketListener, options: WebSocketConnectOptions]> {
  const listener = own(
    await runtime.webSockets.listen({ host: "127.0.0.1", port: 0, path, certificate, handshakeTimeoutMs }),
  );
  const { port } = listener.local;
  return [listener, { host: "127.0.0.1", port, path, serverName: "nodepass.internal", trust: null, timeoutMs }];
}

async function webSocketPair(
  runtime: Runtime,
  own: Own,
  listener: WebSocketListener,
  options: WebSocketConnectOptions,
): Promise<[client: Conn, server: Conn]> {
  const accepting = accepted(listener);
  const client = own(await runtime.webSockets.connect(options));
  return [client, own(await accepting)];
}

/** The first line of the answer to a raw request, once the server ended the connection. */
async function statusLine(runtime: Runtime, own: Own, port: number, request: string): Promise<string> {
  const conn = own(await runtime.net.connect({ host: "127.0.0.1", port, timeoutMs }));
  await writeAll(conn, text(request));
  let answer = "";
  const buffer = new Uint8Array(1_000);
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    answer += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return answer.split("\r\n", 1)[0] ?? "";
}

/** WebSockets: what every adapter's `webSockets` must do. */
export function webSocketSuite(name: string, runtime: Runtime): void {
  const { webSockets, net } = runtime;

  for (const encrypted of [false, true]) {
    const label = encrypted ? " inside TLS" : "";

    test(`${name}: webSockets${label} move 5 MB each way at once, unchanged, and end one direction at a time`, () =>
      owning(async (own) => {
        const authority = await createAuthority("test authority");
        const certificate = encrypted ? await authority.issue(["nodepass.internal"]) : null;
        const [listener, base] = await webSocketServer(runtime, own, certificate);
        const trust = encrypted ? { kind: "only", caPem: authority.caPem } as const : null;
        const [client, server] = await webSocketPair(runtime, own, listener, { ...base, trust });
        equal(client.remote.port, server.local.port);
        equal(client.local.port, server.remote.port);
        equal(server.remote.host, "127.0.0.1");
        await movesBothWays(client, server, 5_000_000);
        for (const conn of [client, server]) {
          await conn.closeWrite();
          await rejects(conn.write(new Uint8Array(1)), (error) => runtime.toError(error).code === "closed");
        }
      }));

    test(`${name}: webSockets${label} make a writer wait for a reader that does not read`, () =>
      owning(async (own) => {
        const authority = await createAuthority("test authority");
        const certificate = encrypted ? await authority.issue(["nodepass.internal"]) : null;
        const [listener, base] = await webSocketServer(runtime, own, certificate);
        const trust = encrypted ? { kind: "only", caPem: authority.caPem } as const : null;
        const [client, server] = await webSocketPair(runtime, own, listener, { ...base, trust });
        for (const [from, to] of [[client, server], [server, client]] as const) {
          await writerWaits(from, to);
        }
      }));
  }

  test(`${name}: webSockets keep small pieces in order whatever the reader's buffer`, () =>
    owning(async (own) => {
      const [listener, options] = await webSocketServer(runtime, own);
      const [client, server] = await webSocketPair(runtime, own, listener, options);
      const payload = pattern(3_000);
      for (let start = 0; start < payload.length; start += 100) {
        await client.write(payload.subarray(start, start + 100));
      }
      equal(await client.write(new Uint8Array(0)), 0);
      const small = new Uint8Array(7);
      let sum = 0;
      for (let left = payload.length; left > 0;) {
        const count = await server.read(small.subarray(0, Math.min(7, left))) ?? 0;
        sum = checksum(small.subarray(0, count), sum);
        left -= count;
      }
      equal(sum, checksum(payload));
    }));

  test(`${name}: webSockets: a late answer arrives after the request was ended`, () =>
    owning(async (own) => {
      const [listener, options] = await webSocketServer(runtime, own);
      const [client, server] = await webSocketPair(runtime, own, listener, options);
      await writeAll(client, text("request"));
      await client.closeWrite();
      equal((await drain(server)).length, 7);
      await writeAll(server, text("answer"));
      await server.closeWrite();
      equal((await drain(client)).length, 6);
      equal(await client.read(new Uint8Array(1)), null);
    }));

  test(`${name}: webSockets: close() is an end for the other side, reset() is not`, () =>
    owning(async (own) => {
      const [listener, options] = await webSocketServer(runtime, own);
      const [client, server] = await webSocketPair(runtime, own, listener, options);
      const pending = rejects(client.read(new Uint8Array(1)), failure("closed"));
      client.close();
      client.close();
      await pending;
      equal(await server.read(new Uint8Array(1)), null);
      await rejects(client.write(new Uint8Array(1)), failure("closed"));
      const [other, peer] = await webSocketPair(runtime, own, listener, options);
      peer.reset();
      peer.reset();
      await rejects(other.read(new Uint8Array(1)), (error) => runtime.toError(error).code === "connection_reset");
    }));

  test(`${name}: webSockets.listen() answers 404 to other paths and 426 to plain requests`, () =>
    owning(async (own) => {
      const [listener, options] = await webSocketServer(runtime, own);
      const { port } = listener.local;
      const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
      match(await statusLine(runtime, own, port, `GET /x HTTP/1.1\r\nHost: a\r\n\r\n`), /^HTTP\/1\.1 404 /);
      match(await statusLine(runtime, own, port, `GET /x HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`), /^HTTP\/1\.1 404 /);
      match(await statusLine(runtime, own, port, `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`), /^HTTP\/1\.1 426 /);
      await rejects(webSockets.connect({ ...options, path: "/wrong" }), failure("wire_mismatch", /404/));
      await webSocketPair(runtime, own, listener, options);
    }));

  test(`${name}: webSockets.listen() closes a request that never completes, and strangers`, () =>
    owning(async (own) => {
      const authority = await createAuthority("test authority");
      const plain = await webSocketServer(runtime, own, null, 100);
      const secure = await webSocketServer(runtime, own, await authority.issue(["nodepass.internal"]), 100);
      for (const [listener] of [plain, secure]) {
        for (const opening of ["", `GET ${path} HTTP/1.1\r\nHost: a\r\nX: `, "\x16\x03\x01\x02\x00\x01"]) {
          const conn = own(await net.connect({ host: "127.0.0.1", port: listener.local.port, timeoutMs }));
          if (opening !== "") await writeAll(conn, text(opening));
          await drain(conn).catch(() => {});
        }
      }
      await webSocketPair(runtime, own, plain[0], plain[1]);
      const trust = { kind: "only", caPem: authority.caPem } as const;
      await webSocketPair(runtime, own, secure[0], { ...secure[1], trust });
    }));

  test(`${name}: webSockets.listen() lets a client in past hundreds of silent connections`, () =>
    owning(async (own) => {
      const [listener, options] = await webSocketServer(runtime, own, null, 60_000);
      const silent = await Promise.all(
        Array.from({ length: 300 }, () => net.connect({ host: "127.0.0.1", port: options.port, timeoutMs })),
      );
      for (const conn of silent) own(conn);
      await drain(silent[0] as Conn).catch(() => {});
      await webSocketPair(runtime, own, listener, options);
    }));

  test(`${name}: webSockets: an upgraded link outlives handshakeTimeoutMs`, () =>
    owning(async (own) => {
      const [listener, options] = await webSocketServer(runtime, own, null, 60);
      const [client, server] = await webSocketPair(runtime, own, listener, options);
      await new Promise((resolve) => setTimeout(resolve, 150));
      await writeAll(client, text("still here"));
      equal((await readExactly(server, 10)).length, 10);
    }));

  test(`${name}: webSockets.connect() gives up on silent and stalled servers, and on its signal`, () =>
    owning(async (own) => {
      const listener = own(await net.listen({ host: "127.0.0.1", port: 0 }));
      const options = { host: "127.0.0.1", path, serverName: "a", trust: null, port: listener.local.port };
      const first = accepted(listener);
      await rejects(webSockets.connect({ ...options, timeoutMs: 50 }), failure("timed_out"));
      own(await first);
      const second = accepted(listener);
      const controller = new AbortController();
      const attempt = webSockets.connect({ ...options, timeoutMs, signal: controller.signal });
      own(await second);
      controller.abort();
      await rejects(attempt, failure("closed", /cancelled/));
      const stalled = own(await stalledListener());
      await rejects(webSockets.connect({ ...options, port: stalled.port, timeoutMs: 50 }), failure("timed_out"));
    }));

  test(`${name}: webSockets.connect() refuses a wrong certificate and a server of another kind`, () =>
    owning(async (own) => {
      const authority = await createAuthority("test authority");
      const other = await createAuthority("test authority");
      const [listener, options] = await webSocketServer(runtime, own, await authority.issue(["nodepass.internal"]));
      const trust = { kind: "only", caPem: other.caPem } as const;
      await rejects(webSockets.connect({ ...options, trust }), failure("certificate"));
      await listener.setCertificate(await other.issue(["nodepass.internal"]));
      await webSocketPair(runtime, own, listener, { ...options, trust });
      const silent = own(await net.listen({ host: "127.0.0.1", port: 0 }));
      const answering = accepted(silent).then((conn) => writeAll(own(conn), text("SSH-2.0-OpenSSH_9.2\r\n")));
      await rejects(webSockets.connect({ ...options, port: silent.local.port }), failure("protocol"));
      await answering;
    }));

  test(`${name}: webSockets.listen() on a taken port says address_in_use; close() frees it and keeps links`, () =>
    owning(async (own) => {
      const [listener, options] = await webSocketServer(runtime, own);
      const [client, server] = await webSocketPair(runtime, own, listener, options);
      const again = { host: "127.0.0.1", port: listener.local.port, path, certificate: null, handshakeTimeoutMs: 100 };
      await rejects(webSockets.listen(again), failure("address_in_use", /^Cannot listen on /));
      const accepting = listener.accept();
      listener.close();
      listener.close();
      equal(await accepting, null);
      await writeAll(client, text("on"));
      equal((await readExactly(server, 2)).length, 2);
      await new Promise((resolve) => setTimeout(resolve, 0));
      own(await webSockets.listen(again));
    }));
}
