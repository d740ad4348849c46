import { DatagramBuffers } from "../../../src/relay/datagram_buffers.ts";
import { DatagramSender } from "../../../src/relay/datagram_sender.ts";
import { TokenBucket } from "../../../src/relay/token_bucket.ts";
import type { Datagram, SocketAddress } from "../../../src/runtime/types.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, notEqual, ok, test } from "../../harness.ts";

const to: SocketAddress = { host: "192.0.2.1", port: 53 };

/** A socket whose sends finish when the test says so. */
class HeldSocket implements Datagram {
  readonly local: SocketAddress = { host: "127.0.0.1", port: 1 };
  readonly sent: number[][] = [];
  readonly #held: (() => void)[] = [];

  receive(): Promise<[Uint8Array, SocketAddress]> {
    return Promise.reject(new Error("not used"));
  }

  receiveAll(): Promise<never> {
    return Promise.reject(new Error("not used"));
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) =>
      this.#held.push(() => {
        this.sent.push([...bytes]);
        resolve();
      })
    );
  }

  close(): void {}

  async finish(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      this.#held.shift()?.();
      await settle();
    }
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

test("DatagramSender sends copies in order, one at a time", async () => {
  const socket = new HeldSocket();
  const sender = new DatagramSender(socket, { bucket: null, onDrop: () => {} });
  const shared = new Uint8Array(2);
  for (let value = 1; value <= 3; value++) {
    shared.fill(value);
    ok(sender.send(shared.subarray(0, value === 2 ? 0 : 2), to));
  }
  shared.fill(9);
  await socket.finish(3);
  deepEqual(socket.sent, [[1, 1], [], [3, 3]]);
});

test("DatagramSender drops and counts what a blocked socket cannot take, and goes on afterwards", async () => {
  const socket = new HeldSocket();
  let dropped = 0;
  const sender = new DatagramSender(socket, { bucket: null, onDrop: () => dropped++ });
  const large = new Uint8Array(65_507);
  let taken = 0;
  for (let count = 0; count < 100; count++) if (sender.send(large, to)) taken++;
  equal(taken + dropped, 100);
  ok(taken >= 32 && taken <= 64, `${taken} taken`);
  await socket.finish(taken);
  equal(socket.sent.length, taken);
  ok(sender.send(new Uint8Array([7]), to));
  await socket.finish(1);
  deepEqual(socket.sent.at(-1), [7]);
});

test("DatagramSender survives a failing send", async () => {
  let calls = 0;
  const socket = new HeldSocket();
  socket.send = () => ++calls === 1 ? Promise.reject(new Error("message too long")) : Promise.resolve();
  const sender = new DatagramSender(socket, { bucket: null, onDrop: () => {} });
  sender.send(new Uint8Array(1), to);
  sender.send(new Uint8Array(1), to);
  await settle();
  equal(calls, 2);
});

test("DatagramSender sends at the rate of its bucket and lets go on close", async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(clock, 10_000);
  const socket = new HeldSocket();
  let sent = 0;
  socket.send = () => {
    sent++;
    return Promise.resolve();
  };
  const sender = new DatagramSender(socket, { bucket, onDrop: () => {} });
  for (let count = 0; count < 10; count++) sender.send(new Uint8Array(1_000), to);
  await settle();
  equal(sent, 1);
  await clock.advanceSteps(500, 100);
  ok(sent >= 5 && sent <= 7, `${sent} sent`);
  sender.close();
  await settle();
  equal(clock.pending, 0);
  ok(sent <= 7);
  bucket.close();
});

test("DatagramBuffers hands a released buffer out again, and never one in use", () => {
  const buffers = new DatagramBuffers();
  const first = buffers.take(1_200);
  const second = buffers.take(2_048);
  notEqual(first, second);
  first.fill(1);
  second.fill(2);
  equal(first[0], 1);
  buffers.release(first);
  equal(buffers.take(10), first);
  ok(buffers.take(2_049).length >= 65_507);
});
