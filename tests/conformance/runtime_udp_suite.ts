import type { Runtime, SocketAddress } from "../../src/runtime/types.ts";
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

  test(`${name}: Datagram.receiveAll() gives each datagram, waits while it is told to and ends with the socket`, () =>
    owning(async (own) => {
      const senders = [
        own(await udp.bind({ host: "127.0.0.1", port: 0 })),
        own(await udp.bind({ host: "::1", port: 0 })),
      ];
      const server = own(await udp.bind({ host: "::", port: 0 }));
      const seen: { size: number; from: SocketAddress }[] = [];
      const gate = Promise.withResolvers<void>();
      const first = Promise.withResolvers<void>();
      const all = Promise.withResolvers<void>();
      const receiving = server.receiveAll(new Uint8Array(65_536), (bytes, from) => {
        seen.push({ size: bytes.length, from });
        deepEqual(bytes.slice(), pattern(bytes.length));
        if (seen.length === 12) all.resolve();
        if (seen.length > 1) return;
        first.resolve();
        return gate.promise;
      });
      for (let size = 1; size <= 6; size++) {
        await senders[0]!.send(pattern(size), { host: "127.0.0.1", port: server.local.port });
      }
      await Promise.race([first.promise, receiving]);
      equal(seen.length, 1);
      for (let size = 7; size <= 12; size++) {
        await senders[1]!.send(pattern(size), { host: "::1", port: server.local.port });
      }
      equal(seen.length, 1);
      gate.resolve();
      await Promise.race([all.promise, receiving]);
      // Two senders have no order between them.
      const from = (host: string) => seen.filter((datagram) => datagram.from.host === host);
      deepEqual(from("127.0.0.1").map(({ size }) => size), [1, 2, 3, 4, 5, 6]);
      deepEqual(from("::1").map(({ size }) => size), [7, 8, 9, 10, 11, 12]);
      deepEqual(new Set(from("127.0.0.1").map(({ from }) => from.port)), new Set([senders[0]!.local.port]));
      const ended = rejects(receiving, (error) => runtime.toError(error).code === "closed");
      server.close();
      await ended;
    }));

  test(`${name}: Datagram.receiveAll() rejects with what its taker throws, at once or later`, () =>
    owning(async (own) => {
      for (
        const fail of [() => Promise.reject(new Error("later")), () => {
          throw new Error("at once");
        }]
      ) {
        const socket = own(await udp.bind({ host: "127.0.0.1", port: 0 }));
        const receiving = rejects(socket.receiveAll(new Uint8Array(10), fail), /later|at once/);
        await socket.send(new Uint8Array(1), socket.local);
        await receiving;
        await socket.send(pattern(2), socket.local);
        equal((await socket.receive(new Uint8Array(10)))[0].length, 2);
      }
    }));

  test(`${name}: udp.bind() with a peer talks to it, also after nobody was there for a while`, () =>
    owning(async (own) => {
      const target = own(await udp.bind({ host: "127.0.0.1", port: 0 }));
      const socket = own(await udp.bind({ host: "0.0.0.0", port: 0, peer: target.local }));
      await socket.send(pattern(5), target.local);
      const [bytes, from] = await target.receive(new Uint8Array(10));
      equal(bytes.length, 5);
      await target.send(bytes, { host: "127.0.0.1", port: from.port });
      equal((await socket.receive(new Uint8Array(10)))[0].length, 5);
      target.close();
      for (let lost = 0; lost < 3; lost++) await Promise.resolve(socket.send(pattern(6), target.local)).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 0));
      const again = own(await udp.bind(target.local));
      const heard = again.receive(new Uint8Array(10));
      // The refusal of an earlier datagram may still cost one.
      for (let sent = 0; sent < 2; sent++) await Promise.resolve(socket.send(pattern(7), target.local)).catch(() => {});
      equal((await heard)[0].length, 7);
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
      await rejects(async () => await socket.send(new Uint8Array(1), socket.local), closed);
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
      await rejects(async () => await socket.send(new Uint8Array(65_508), socket.local), (error) => {
        equal(runtime.toError(error).code, "limit");
        return true;
      });
      await socket.send(pattern(3), socket.local);
      const [bytes] = await socket.receive(new Uint8Array(10));
      ok(bytes.length === 3);
    }));
}
