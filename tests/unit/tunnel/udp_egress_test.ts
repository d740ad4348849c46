import type { ClientConfig, HostPort } from "../../../src/config/types.ts";
import { NodePassError } from "../../../src/errors.ts";
import type { Runtime, SocketAddress } from "../../../src/runtime/types.ts";
import { createContext } from "../../../src/tunnel/create_context.ts";
import { Targets } from "../../../src/tunnel/targets.ts";
import { openUdpTarget } from "../../../src/tunnel/udp_egress.ts";
import { deepEqual, equal, ok } from "../../harness.ts";
import { forwardConfig, LinesLogger, ownedTest, runtime, UdpTarget } from "./forward_fixture.ts";

const visitor: SocketAddress = { host: "192.0.2.7", port: 4_000 };
const bytes = (...values: number[]) => new Uint8Array(values);

function openPath(targets: readonly HostPort[], changes: Partial<ClientConfig> = {}, used: Runtime = runtime) {
  const owned = createContext(forwardConfig(targets, changes), used, new LinesLogger());
  const { ledger } = owned.context;
  const session = ledger.open("udp", "192.0.2.7:4000")!;
  const replies: Uint8Array[] = [];
  const waiting: (() => void)[] = [];
  const cut = Promise.withResolvers<void>();
  const path = openUdpTarget(owned.context, new Targets(owned.context), visitor, session, (reply) => {
    replies.push(reply.slice());
    for (const wake of waiting.splice(0)) wake();
  });
  session.cut = () => {
    path.close();
    session.close();
    cut.resolve();
  };
  return {
    path,
    session,
    ledger,
    replies,
    cut: cut.promise,
    async replied(count: number): Promise<void> {
      while (replies.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    async [Symbol.asyncDispose]() {
      path.close();
      session.close();
      owned.close();
      await new Promise((resolve) => setTimeout(resolve, 0));
    },
  };
}

ownedTest("openUdpTarget sends what came while the target was being resolved, in order", async (own) => {
  const target = await own(UdpTarget.bind());
  const way = await own(openPath([target.address]));
  for (let value = 1; value <= 3; value++) way.path.send(bytes(value));
  await way.replied(3);
  deepEqual(way.replies, [bytes(1), bytes(2), bytes(3)]);
  equal(way.session.meter.tx, 3);
  equal(way.session.meter.rx, 3);
  equal(way.session.target, `127.0.0.1:${target.address.port}`);
});

ownedTest("openUdpTarget resolves a name once per session and keeps at most 64 datagrams meanwhile", async (own) => {
  const target = await own(UdpTarget.bind());
  let lookups = 0;
  const resolved = Promise.withResolvers<readonly string[]>();
  const dns = {
    resolve: () => {
      lookups++;
      return resolved.promise;
    },
  };
  const way = await own(openPath([{ host: "target.test", port: target.address.port }], {}, { ...runtime, dns }));
  for (let value = 0; value < 100; value++) way.path.send(bytes(value));
  equal(way.ledger.rejections.overflow, 36);
  resolved.resolve(["127.0.0.1"]);
  await way.replied(64);
  way.path.send(bytes(200));
  await way.replied(65);
  equal(lookups, 1);
  deepEqual(way.replies.map((reply) => reply[0]), [...Array(64).keys(), 200]);
});

ownedTest("openUdpTarget drops packets that do not come from the target", async (own) => {
  const stranger = await own(UdpTarget.bind(() => null));
  const answers = Promise.withResolvers<SocketAddress>();
  const target = await own(UdpTarget.bind((received, from) => {
    answers.resolve(from);
    return received[0] === 1 ? null : received;
  }));
  const way = await own(openPath([target.address]));
  way.path.send(bytes(1));
  const { port } = await answers.promise;
  const socket = await runtime.udp.bind({ host: "127.0.0.1", port: 0 });
  for (let count = 0; count < 5; count++) await socket.send(bytes(66), { host: "127.0.0.1", port });
  socket.close();
  way.path.send(bytes(2));
  await way.replied(1);
  deepEqual(way.replies, [bytes(2)]);
  equal(way.session.meter.rx, 1);
  equal(stranger.sources.size, 0);
});

ownedTest("openUdpTarget writes the PROXY v2 header before the first datagram alone", async (own) => {
  const target = await own(UdpTarget.bind());
  const way = await own(openPath([target.address], { proxy: "v2" }));
  way.path.send(bytes(1));
  way.path.send(bytes(2));
  await way.replied(2);
  const first = way.replies[0] ?? bytes();
  equal(first.length, 16 + 12 + 1);
  deepEqual(first.slice(0, 14), bytes(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, 0x12));
  deepEqual(first.slice(16, 20), bytes(192, 0, 2, 7));
  equal((first[24] ?? 0) * 256 + (first[25] ?? 0), 4_000);
  equal(first.at(-1), 1);
  deepEqual(way.replies[1], bytes(2));
});

ownedTest("openUdpTarget sends the PROXY v2 header on its own when the first datagram leaves no room", async (own) => {
  const target = await own(UdpTarget.bind((received) => bytes(received.length >> 8, received.length & 255)));
  const way = await own(openPath([target.address], { proxy: "v2" }));
  way.path.send(new Uint8Array(65_507));
  await way.replied(2);
  deepEqual(way.replies, [bytes(0, 28), bytes(255, 227)]);
});

ownedTest("openUdpTarget cuts the session when no target can be used", async (own) => {
  const dns = { resolve: () => Promise.reject(new NodePassError("name_not_found", "Cannot resolve nowhere.test")) };
  const way = await own(openPath([{ host: "nowhere.test", port: 9 }], {}, { ...runtime, dns }));
  way.path.send(bytes(1));
  await way.cut;
  deepEqual(way.ledger.rejections, { dial: 1 });
  equal(way.ledger.udp, 0);
});

ownedTest("openUdpTarget gives up a lookup after NP_UDP_DIAL_TIMEOUT", async (own) => {
  const dns = { resolve: () => new Promise<readonly string[]>(() => {}) };
  const changes = { settings: { ...forwardConfig([]).settings, udpDialTimeoutMs: 30 } };
  const started = performance.now();
  const way = await own(openPath([{ host: "slow.test", port: 9 }], changes, { ...runtime, dns }));
  await way.cut;
  ok(performance.now() - started < 500);
});

ownedTest("UdpPath.close leaves nothing behind while the target is being resolved", async (own) => {
  const target = await own(UdpTarget.bind());
  const resolved = Promise.withResolvers<readonly string[]>();
  const used: Runtime = { ...runtime, dns: { resolve: () => resolved.promise } };
  const way = await own(openPath([{ host: "target.test", port: target.address.port }], {}, used));
  way.path.send(bytes(1));
  way.path.close();
  resolved.resolve(["127.0.0.1"]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  equal(target.sources.size, 0);
});
