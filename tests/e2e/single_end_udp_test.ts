import { deepEqual, equal, ok } from "../harness.ts";
import {
  forwardConfig,
  forwarding,
  freePort,
  ownedTest,
  seededBytes,
  UdpTarget,
  UdpVisitor,
} from "../unit/tunnel/forward_fixture.ts";
import { FakeClock } from "../fake_clock.ts";

ownedTest("single-end carries datagrams of 0 to 65,507 bytes unchanged", async (own) => {
  const target = await own(UdpTarget.bind());
  const door = await own(forwarding(forwardConfig([target.address])));
  const visitor = await own(UdpVisitor.bind(door.addr));
  for (const length of [0, 1, 1_200, 9_000, 65_507]) {
    const sent = seededBytes(length, length);
    deepEqual(await visitor.ask(sent), sent);
  }
  const stats = door.handle.stats();
  equal(stats.udpSessions, 1);
  equal(stats.udpTx, 75_708);
  equal(stats.udpRx, 75_708);
});

ownedTest("single-end answers 200 sources, each its own words", async (own) => {
  const target = await own(UdpTarget.bind());
  const door = await own(forwarding(forwardConfig([target.address])));
  const visitors: UdpVisitor[] = [];
  for (let count = 0; count < 200; count++) visitors.push(await own(UdpVisitor.bind(door.addr)));
  for (let round = 0; round < 5; round++) {
    await Promise.all(visitors.map(async (visitor, index) => {
      const sent = seededBytes(100 + index, index * 10 + round);
      deepEqual(await visitor.ask(sent), sent);
    }));
  }
  equal(door.handle.stats().udpSessions, 200);
  equal(target.sources.size, 200);
});

ownedTest("single-end frees UDP sessions 30 s after the last packet", async (own) => {
  const clock = new FakeClock();
  const target = await own(UdpTarget.bind());
  const door = await own(forwarding(forwardConfig([target.address]), { clock }));
  const visitor = await own(UdpVisitor.bind(door.addr));
  await visitor.ask(new Uint8Array(1));
  clock.advance(28_000);
  equal(door.handle.stats().udpSessions, 1);
  clock.advance(4_000);
  equal(door.handle.stats().udpSessions, 0);
  await visitor.ask(new Uint8Array(1));
  equal(target.sources.size, 2);
});

ownedTest("single-end keeps a UDP session while only the target speaks", async (own) => {
  const clock = new FakeClock();
  const asked = Promise.withResolvers<number>();
  const target = await own(UdpTarget.bind((bytes, from) => {
    asked.resolve(from.port);
    return bytes;
  }));
  const door = await own(forwarding(forwardConfig([target.address]), { clock }));
  const visitor = await own(UdpVisitor.bind(door.addr));
  await visitor.ask(new Uint8Array(1));
  const from = { host: "127.0.0.1", port: await asked.promise };
  for (let count = 0; count < 4; count++) {
    clock.advance(20_000);
    const answer = visitor.receive();
    await target.send(new Uint8Array([count]), from);
    deepEqual(await answer, new Uint8Array([count]));
  }
  equal(door.handle.stats().udpSessions, 1);
});

ownedTest("single-end keeps speaking with old UDP visitors while a flood passes the slot limit", async (own) => {
  const target = await own(UdpTarget.bind());
  const door = await own(forwarding(forwardConfig([target.address], { slots: 50 })));
  const old: UdpVisitor[] = [];
  for (let count = 0; count < 20; count++) {
    const visitor = await own(UdpVisitor.bind(door.addr));
    await visitor.ask(new Uint8Array(2));
    await visitor.ask(new Uint8Array(2));
    old.push(visitor);
  }
  for (let count = 0; count < 300; count++) {
    const stranger = await UdpVisitor.bind(door.addr);
    await stranger.ask(new Uint8Array(1));
    stranger[Symbol.dispose]();
    ok(door.handle.stats().udpSessions <= 50);
  }
  const before = target.sources.size;
  for (const visitor of old) await visitor.ask(new Uint8Array(3));
  equal(target.sources.size, before);
});

ownedTest("single-end forwards UDP from IPv6 to IPv6 and between the families", async (own) => {
  const six = await own(UdpTarget.bind(undefined, "::1"));
  const four = await own(UdpTarget.bind());
  for (const [listen, target] of [["::1", six], ["::1", four], ["127.0.0.1", six]] as const) {
    const door = await own(forwarding(forwardConfig([target.address], { tunnel: { host: listen, port: 0 } })));
    const visitor = await own(UdpVisitor.bind(door.addr));
    deepEqual(await visitor.ask(new Uint8Array([1, 2, 3])), new Uint8Array([1, 2, 3]));
  }
});

ownedTest("single-end survives a UDP target that is down", async (own) => {
  const door = await own(forwarding(forwardConfig([{ host: "127.0.0.1", port: await freePort() }])));
  const visitor = await own(UdpVisitor.bind(door.addr));
  for (let count = 0; count < 5; count++) {
    await visitor.send(new Uint8Array(1));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  equal(door.handle.stats().udpSessions, 1);
});

ownedTest("single-end closes its UDP sessions with the grace", async (own) => {
  const target = await own(UdpTarget.bind());
  const door = await own(forwarding(forwardConfig([target.address])));
  const visitor = await own(UdpVisitor.bind(door.addr));
  await visitor.ask(new Uint8Array(1));
  const started = performance.now();
  await door.handle.close({ graceMs: 100 });
  ok(performance.now() - started < 1_100);
  equal(door.handle.stats().udpSessions, 0);
});
