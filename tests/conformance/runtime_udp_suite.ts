import type { Runtime } from "../../src/runtime/types.ts";
import { deepEqual, equal, ok, rejects, test } from "../harness.ts";
import { failure, owning, pattern } from "./runtime_scope.ts";

/** UDP: what every adapter's `udp` must do. */
export function udpSuite(name: string, runtime: Runtime): void {
  const { udp } = runtime;

  test(`${name}: udp.bind() moves datagrams of every size, boundaries exact`, () =>
    owning(async (own) => {
      const left = own(await udp.bind({ host: "127.0.0.1", port: 0 }));
      const right = own(await udp.bind({ host: "127.0.0.1", port: 0 }));
      const buffer = new Uint8Array(65_536);
      for (const size of [0, 1, 1_200, 9_000, 65_507]) {
        const payload = pattern(size);
        await left.send(payload, right.local);
        const [bytes, from] = await right.receive(buffer);
        deepEqual(bytes.slice(), payload);
        deepEqual(from, left.local);
        equal(bytes.buffer, buffer.buffer);
        await right.send(bytes, from);
        const [echo] = await left.receive(new Uint8Array(65_536));
        deepEqual(echo.slice(), payload);
      }
    }));

  test(`${name}: udp.bind() on "" serves IPv4 under IPv4 addresses, and IPv6`, () =>
    owning(async (own) => {
      const server = own(await udp.bind({ host: "", port: 0 }));
      for (const host of server.local.host === "::" ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
        const client = own(await udp.bind({ host, port: 0 }));
        await client.send(pattern(10), { host, port: server.local.port });
        const [bytes, from] = await server.receive(new Uint8Array(100));
        deepEqual(from, client.local);
        await server.send(bytes, from);
        const [echo, sender] = await client.receive(new Uint8Array(100));
        equal(echo.length, 10);
        deepEqual(sender, { host, port: server.local.port });
      }
    }));

  test(`${name}: Datagram.receive() keeps order and cuts what does not fit`, () =>
    owning(async (own) => {
      const left = own(await udp.bind({ host: "127.0.0.1", port: 0 }));
      const right = own(await udp.bind({ host: "127.0.0.1", port: 0 }));
      for (let index = 0; index < 100; index++) await left.send(new Uint8Array([index, 1, 2]), right.local);
      for (let index = 0; index < 100; index++) {
        const [bytes] = await right.receive(new Uint8Array(2));
        deepEqual([...bytes], [index, 1]);
      }
    }));

  test(`${name}: Datagram.close() is idempotent, ends a pending receive and frees the port`, () =>
    owning(async (own) => {
      const socket = own(await udp.bind({ host: "127.0.0.1", port: 0 }));
      const closed = (error: unknown): boolean => runtime.toError(error).code === "closed";
      const pending = rejects(socket.receive(new Uint8Array(1)), closed);
      socket.close();
      socket.close();
      await pending;
      await rejects(socket.receive(new Uint8Array(1)), closed);
      await rejects(socket.send(new Uint8Array(1), socket.local), closed);
      await new Promise((resolve) => setTimeout(resolve, 0));
      own(await udp.bind(socket.local));
    }));

  test(`${name}: udp.bind() on a taken port says address_in_use`, () =>
    owning(async (own) => {
      const socket = own(await udp.bind({ host: "127.0.0.1", port: 0 }));
      const message = /^Cannot bind UDP 127\.0\.0\.1:\d+: address already in use$/;
      await rejects(udp.bind(socket.local), failure("address_in_use", message));
      await rejects(udp.bind({ host: "203.0.113.9", port: 0 }), failure("address_not_available"));
    }));

  test(`${name}: Datagram.send() refuses what UDP cannot carry and goes on`, () =>
    owning(async (own) => {
      const socket = own(await udp.bind({ host: "127.0.0.1", port: 0 }));
      await rejects(socket.send(new Uint8Array(65_508), socket.local), (error) => {
        equal(runtime.toError(error).code, "limit");
        return true;
      });
      await socket.send(pattern(3), socket.local);
      const [bytes] = await socket.receive(new Uint8Array(10));
      ok(bytes.length === 3);
    }));
}
