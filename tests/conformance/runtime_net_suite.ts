import type { Conn, Net, Runtime } from "../../src/runtime/types.ts";
import { equal, notEqual, rejects, test } from "../harness.ts";
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

/** Both ends of one connection. */
export async function connectedPair(net: Net, own: Own): Promise<[client: Conn, server: Conn]> {
  const listener = own(await net.listen({ host: "127.0.0.1", port: 0 }));
  const accepting = accepted(listener);
  const client = own(await net.connect({ host: "127.0.0.1", port: listener.local.port, timeoutMs }));
  return [client, own(await accepting)];
}

/** TCP: what every adapter's `net` must do. `resets`: the adapter's `reset` really resets. */
export function netSuite(name: string, runtime: Runtime, resets: boolean): void {
  const { net } = runtime;

  test(`${name}: net.connect() reaches net.listen(), addresses agree`, () =>
    owning(async (own) => {
      const [client, server] = await connectedPair(net, own);
      equal(client.remote.port, server.local.port);
      equal(client.local.port, server.remote.port);
      equal(server.remote.host, "127.0.0.1");
      await writeAll(client, text("hello"));
      equal(new TextDecoder().decode(await readExactly(server, 5)), "hello");
    }));

  test(`${name}: net.listen() on "" takes IPv4 visitors under their IPv4 address, and IPv6`, () =>
    owning(async (own) => {
      const listener = own(await net.listen({ host: "", port: 0 }));
      for (const host of listener.local.host === "::" ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
        const client = own(await net.connect({ host, port: listener.local.port, timeoutMs }));
        const server = own(await accepted(listener));
        equal(server.remote.host, host);
        equal(server.local.host, host);
        equal(client.remote.host, host);
      }
    }));

  test(`${name}: net.connect() uses localHost as the source address`, () =>
    owning(async (own) => {
      const listener = own(await net.listen({ host: "", port: 0 }));
      for (const host of ["127.0.0.1", "localhost"]) {
        const { port } = listener.local;
        own(await net.connect({ host, port, localHost: "127.0.0.3", timeoutMs }));
        equal(own(await accepted(listener)).remote.host, "127.0.0.3");
      }
      const options = { host: "127.0.0.1", port: listener.local.port, localHost: "203.0.113.7", timeoutMs };
      await rejects(net.connect(options), failure("address_not_available"));
    }));

  test(`${name}: Conn.closeWrite() ends one direction only`, () =>
    owning(async (own) => {
      const [client, server] = await connectedPair(net, own);
      await writeAll(client, text("request"));
      await client.closeWrite();
      equal((await drain(server)).length, 7);
      await writeAll(server, text("a late answer"));
      await server.closeWrite();
      equal((await drain(client)).length, 13);
      equal(await client.read(new Uint8Array(1)), null);
    }));

  test(`${name}: Conn moves 8 MB each way at once, unchanged`, () =>
    owning(async (own) => {
      const [client, server] = await connectedPair(net, own);
      await movesBothWays(client, server, 8_000_000);
    }));

  test(`${name}: Conn.write() waits for a reader that does not read`, () =>
    owning(async (own) => {
      const [client, server] = await connectedPair(net, own);
      await writerWaits(client, server);
    }));

  test(`${name}: Conn.read() with a small buffer loses nothing`, () =>
    owning(async (own) => {
      const [client, server] = await connectedPair(net, own);
      const payload = pattern(5_000);
      await writeAll(client, payload);
      await client.closeWrite();
      const small = new Uint8Array(7);
      let sum = 0;
      for (let count = await server.read(small); count !== null; count = await server.read(small)) {
        sum = checksum(small.subarray(0, count), sum);
      }
      equal(sum, checksum(payload));
    }));

  test(`${name}: Conn.close() is idempotent, ends a pending read and refuses later calls`, () =>
    owning(async (own) => {
      const [client, server] = await connectedPair(net, own);
      const reading = client.read(new Uint8Array(1));
      client.close();
      client.close();
      client.reset();
      await rejects(reading, (error) => runtime.toError(error).code === "closed");
      await rejects(client.read(new Uint8Array(1)), (error) => runtime.toError(error).code === "closed");
      await rejects(client.write(new Uint8Array(1)), (error) => runtime.toError(error).code === "closed");
      await rejects(client.closeWrite(), (error) => runtime.toError(error).code === "closed");
      equal(await server.read(new Uint8Array(1)), null);
    }));

  test(`${name}: Conn.close() ends a write that is stuck`, () =>
    owning(async (own) => {
      const [client] = await connectedPair(net, own);
      const chunk = new Uint8Array(1_000_000);
      const writing = (async () => {
        for (;;) await client.write(chunk);
      })();
      const outcome = rejects(writing, (error) => ["closed", "connection_reset"].includes(runtime.toError(error).code));
      await new Promise((resolve) => setTimeout(resolve, 50));
      client.close();
      await outcome;
    }));

  test(`${name}: Conn.reset() is ${resets ? "a reset" : "an end"} for the other side`, () =>
    owning(async (own) => {
      const [client, server] = await connectedPair(net, own);
      client.reset();
      client.reset();
      if (!resets) return equal(await server.read(new Uint8Array(1)), null);
      await rejects(server.read(new Uint8Array(1)), (error) => runtime.toError(error).code === "connection_reset");
    }));

  test(`${name}: net.connect() to a closed port says connection_refused`, () =>
    owning(async (own) => {
      const listener = own(await net.listen({ host: "127.0.0.1", port: 0 }));
      const { port } = listener.local;
      listener.close();
      const message = new RegExp(`^Cannot connect to 127\\.0\\.0\\.1:${port}: connection refused$`);
      await rejects(net.connect({ host: "127.0.0.1", port, timeoutMs }), failure("connection_refused", message));
    }));

  test(`${name}: net.connect() to an unknown name says name_not_found`, async () => {
    const attempt = net.connect({ host: "nodepass.invalid", port: 1, timeoutMs });
    await rejects(attempt, failure("name_not_found", /^Cannot connect to nodepass\.invalid:1: name not found$/));
  });

  test(`${name}: net.connect() gives up after timeoutMs and on its signal`, () =>
    owning(async (own) => {
      const stalled = own(await stalledListener());
      const target = { host: "127.0.0.1", port: stalled.port };
      await rejects(
        net.connect({ ...target, timeoutMs: 50 }),
        failure("timed_out", /^Cannot connect to .*: timed out$/),
      );
      const controller = new AbortController();
      const attempt = net.connect({ ...target, timeoutMs, signal: controller.signal });
      controller.abort(new Error("enough"));
      await rejects(attempt, failure("closed", /cancelled/));
      await rejects(net.connect({ ...target, timeoutMs, signal: AbortSignal.abort() }), failure("closed"));
    }));

  test(`${name}: net.listen() on a taken port says address_in_use`, () =>
    owning(async (own) => {
      const { port } = own(await net.listen({ host: "127.0.0.1", port: 0 })).local;
      const message = new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${port}: address already in use$`);
      await rejects(net.listen({ host: "127.0.0.1", port }), failure("address_in_use", message));
    }));

  test(`${name}: net.listen() on a foreign address says address_not_available`, async () => {
    await rejects(net.listen({ host: "203.0.113.9", port: 0 }), failure("address_not_available"));
  });

  test(`${name}: Listener.close() ends accept() with null and frees the port`, () =>
    owning(async (own) => {
      const listener = own(await net.listen({ host: "127.0.0.1", port: 0 }));
      const accepting = listener.accept();
      listener.close();
      listener.close();
      equal(await accepting, null);
      equal(await listener.accept(), null);
      notEqual(listener.local.port, 0);
      await new Promise((resolve) => setTimeout(resolve, 0));
      own(await net.listen({ host: "127.0.0.1", port: listener.local.port }));
    }));

  test(`${name}: Listener.accept() gives every one of 200 connections opened at once`, () =>
    owning(async (own) => {
      const listener = own(await net.listen({ host: "127.0.0.1", port: 0 }));
      const { port } = listener.local;
      const clients = await Promise.all(
        Array.from({ length: 200 }, () => net.connect({ host: "127.0.0.1", port, timeoutMs })),
      );
      const ports = new Set<number>();
      for (const client of clients) own(client);
      for (let count = 0; count < clients.length; count++) ports.add(own(await accepted(listener)).remote.port);
      equal(ports.size, 200);
    }));
}
