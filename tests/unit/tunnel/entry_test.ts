import { parseCidr } from "../../../src/address/cidr.ts";
import type { ClientConfig, HostPort } from "../../../src/config/types.ts";
import { NodePassError } from "../../../src/errors.ts";
import { writeAll } from "../../../src/relay/write_all.ts";
import type { Clock, Conn, Listener, Runtime, SocketAddress } from "../../../src/runtime/types.ts";
import { createContext } from "../../../src/tunnel/create_context.ts";
import { type Entry, type EntryHandlers, openEntry, type UdpPath } from "../../../src/tunnel/entry.ts";
import { FakeClock } from "../../fake_clock.ts";
import { deepEqual, equal, notEqual, ok, rejects } from "../../harness.ts";
import {
  dial,
  endedEmpty,
  forwardConfig,
  LinesLogger,
  ownedTest,
  readAll,
  runtime,
  UdpVisitor,
} from "./forward_fixture.ts";

const loopback: HostPort = { host: "127.0.0.1", port: 0 };

/** Answers TCP visitors with one byte and echoes datagrams. */
const answering: EntryHandlers = {
  tcp: async (visitor) => {
    await writeAll(visitor, new Uint8Array([7]));
    visitor.close();
  },
  udp: { open: (_visitor, _session, reply): UdpPath => ({ send: reply, close: () => {} }) },
};

async function opened(
  changes: Partial<ClientConfig> = {},
  options: { handlers?: EntryHandlers; addresses?: readonly HostPort[]; clock?: Clock; runtime?: Runtime } = {},
) {
  const logger = new LinesLogger();
  const base = options.runtime ?? runtime;
  const used = options.clock === undefined ? base : { ...base, clock: options.clock };
  const owned = createContext(forwardConfig([], changes), used, logger);
  const entry: Entry = await openEntry(owned.context, options.addresses ?? [loopback], options.handlers ?? answering);
  const address = entry.addresses[0];
  if (address === undefined) throw new Error("no address");
  return {
    entry,
    address,
    logger,
    ledger: owned.context.ledger,
    async [Symbol.asyncDispose]() {
      entry.close();
      owned.context.ledger.cutAll();
      await owned.context.ledger.drained();
      await entry.finished;
      owned.close();
    },
  };
}

const bytes = (...values: number[]) => new Uint8Array(values);

ownedTest("openEntry serves TCP and UDP on the same port that the system chose", async (own) => {
  const door = await own(opened());
  notEqual(door.address.port, 0);
  const visitor = await dial(door.address);
  deepEqual(await readAll(visitor), bytes(7));
  visitor.close();
  const asker = await own(UdpVisitor.bind(door.address));
  deepEqual(await asker.ask(bytes(1, 2, 3)), bytes(1, 2, 3));
  equal(door.ledger.udp, 1);
  equal(door.ledger.traffic.udpRx, 3);
  equal(door.ledger.traffic.udpTx, 3);
});

ownedTest("openEntry listens on each address, IPv6 too, and on none when one of them is taken", async (own) => {
  const door = await own(opened({}, { addresses: [loopback, { host: "::1", port: 0 }] }));
  equal(door.entry.addresses.length, 2);
  for (const address of door.entry.addresses) {
    const visitor = await dial(address);
    deepEqual(await readAll(visitor), bytes(7));
    visitor.close();
    const asker = await own(UdpVisitor.bind(address));
    deepEqual(await asker.ask(bytes(9)), bytes(9));
  }
  const free = { host: "127.0.0.1", port: 0 };
  await rejects(
    opened({}, { addresses: [free, door.address] }),
    (error) => error instanceof NodePassError && error.code === "address_in_use",
  );
});

ownedTest("openEntry on all addresses answers IPv4 and IPv6 visitors", async (own) => {
  const door = await own(opened({}, { addresses: [{ host: "", port: 0 }] }));
  for (const host of ["127.0.0.1", "::1"]) {
    const address: SocketAddress = { host, port: door.address.port };
    const visitor = await dial(address);
    deepEqual(await readAll(visitor), bytes(7));
    visitor.close();
    const asker = await own(UdpVisitor.bind(address));
    deepEqual(await asker.ask(bytes(5)), bytes(5));
  }
  deepEqual(door.ledger.list().map(({ visitor }) => visitor.startsWith("127.0.0.1:") || visitor.startsWith("[::1]:")), [
    true,
    true,
  ]);
});

ownedTest("openEntry leaves a protocol closed that is switched off", async (own) => {
  const udpOnly = await own(opened({ tcp: false }));
  await rejects(dial(udpOnly.address));
  const asker = await own(UdpVisitor.bind(udpOnly.address));
  deepEqual(await asker.ask(bytes(1)), bytes(1));
  const tcpOnly = await own(opened({ udp: false }));
  const socket = await runtime.udp.bind({ host: "127.0.0.1", port: tcpOnly.address.port });
  socket.close();
  const visitor = await dial(tcpOnly.address);
  deepEqual(await readAll(visitor), bytes(7));
  visitor.close();
});

ownedTest("openEntry closes denied visitors at once and counts them", async (own) => {
  const door = await own(opened({ deny: [parseCidr("127.0.0.0/8")!] }));
  const visitor = await dial(door.address);
  ok(await endedEmpty(visitor));
  visitor.close();
  const asker = await own(UdpVisitor.bind(door.address));
  await asker.send(bytes(1));
  while ((door.ledger.rejections.denied ?? 0) < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  equal(door.ledger.opened, 0);
});

ownedTest("openEntry lets only the addresses of allow in, also through an IPv6 socket", async (own) => {
  const door = await own(opened({ allow: [parseCidr("127.0.0.1")!] }, { addresses: [{ host: "", port: 0 }] }));
  const allowed = await dial({ host: "127.0.0.1", port: door.address.port });
  deepEqual(await readAll(allowed), bytes(7));
  allowed.close();
  const refused = await dial({ host: "::1", port: door.address.port });
  ok(await endedEmpty(refused));
  refused.close();
  deepEqual(door.ledger.rejections, { denied: 1 });
});

ownedTest(
  "openEntry closes TCP visitors above slot at once and takes the next one when a slot is free",
  async (own) => {
    const waiting: Conn[] = [];
    const hold: EntryHandlers = {
      tcp: (visitor, session) =>
        new Promise<void>((resolve) => {
          waiting.push(visitor);
          session.cut = () => {
            visitor.close();
            resolve();
          };
        }),
      udp: answering.udp,
    };
    const door = await own(opened({ slots: 2 }, { handlers: hold }));
    const first = await dial(door.address);
    const second = await dial(door.address);
    while (door.ledger.tcp < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const third = await dial(door.address);
    ok(await endedEmpty(third));
    deepEqual(door.ledger.rejections, { slot: 1 });
    door.ledger.cutAll();
    await door.ledger.drained();
    const fourth = await dial(door.address);
    while (waiting.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const conn of [first, second, third, fourth]) conn.close();
  },
);

ownedTest("openEntry gives the slot of the longest silent UDP visitor to a new one", async (own) => {
  const ended: string[] = [];
  const handlers: EntryHandlers = {
    tcp: answering.tcp,
    udp: {
      open: (_visitor, session, reply) => ({ send: reply, close: () => void ended.push(session.visitor) }),
    },
  };
  const door = await own(opened({ slots: 2 }, { handlers }));
  const first = await own(UdpVisitor.bind(door.address));
  const second = await own(UdpVisitor.bind(door.address));
  const third = await own(UdpVisitor.bind(door.address));
  for (const visitor of [first, second, third]) deepEqual(await visitor.ask(bytes(1)), bytes(1));
  deepEqual(ended, [`127.0.0.1:${first.local.port}`]);
  equal(door.ledger.udp, 2);
  equal(door.ledger.rejections.slot, 1);
});

ownedTest("openEntry frees a UDP session after its silence and opens a new one for the next packet", async (own) => {
  const clock = new FakeClock();
  const door = await own(opened({}, { clock }));
  const visitor = await own(UdpVisitor.bind(door.address));
  await visitor.ask(bytes(1));
  clock.advance(20_000);
  await visitor.ask(bytes(2));
  clock.advance(28_000);
  equal(door.ledger.udp, 1);
  clock.advance(4_000);
  equal(door.ledger.udp, 0);
  await visitor.ask(bytes(3));
  equal(door.ledger.opened, 2);
});

ownedTest("openEntry uses read as the expiry of UDP sessions", async (own) => {
  const clock = new FakeClock();
  const door = await own(opened({ readMs: 5_000 }, { clock }));
  const visitor = await own(UdpVisitor.bind(door.address));
  await visitor.ask(bytes(1));
  clock.advance(3_000);
  equal(door.ledger.udp, 1);
  clock.advance(4_000);
  equal(door.ledger.udp, 0);
});

ownedTest("openEntry cuts a visitor of a blocked protocol and counts it", async (own) => {
  const handlers: EntryHandlers = {
    tcp: async (visitor) => {
      await readAll(visitor);
    },
    udp: answering.udp,
  };
  const door = await own(opened({ block: { socks: false, http: true, tls: false } }, { handlers }));
  const visitor = await dial(door.address);
  await writeAll(visitor, new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  ok(await endedEmpty(visitor));
  visitor.close();
  deepEqual(door.ledger.rejections, { blocked: 1 });
});

ownedTest("openEntry backs off without descriptors, says so to its owner, logs rarely, and goes on", async (own) => {
  const clock = new FakeClock();
  let failing = true;
  let starved = 0;
  const noRoom = Object.assign(new Error("accept"), { code: "EMFILE" });
  let calls = 0;
  const flaky: Runtime = {
    ...runtime,
    net: {
      ...runtime.net,
      listen: async (options) => {
        const inner = await runtime.net.listen(options);
        const listener: Listener = {
          local: inner.local,
          accept: () => {
            calls++;
            return failing ? Promise.reject(noRoom) : inner.accept();
          },
          close: () => inner.close(),
        };
        return listener;
      },
    },
  };
  const handlers = { ...answering, starved: () => void starved++ };
  const door = await own(opened({}, { clock, runtime: flaky, handlers }));
  await clock.advanceSteps(5_000, 50);
  ok(calls >= 10 && calls <= 14, `${calls} calls in 5 s`);
  equal(starved, calls);
  const lines = door.logger.lines.filter(({ level }) => level === "error").length;
  ok(lines >= 4 && lines <= 6, `${lines} lines in 5 s`);
  failing = false;
  await clock.advanceSteps(1_000, 50);
  const visitor = await dial(door.address);
  deepEqual(await readAll(visitor), bytes(7));
  visitor.close();
});

ownedTest("Entry.close refuses new visitors within 100 ms and lets a UDP session in use go on", async (own) => {
  const clock = new FakeClock();
  const door = await own(opened({}, { clock }));
  const visitor = await own(UdpVisitor.bind(door.address));
  await visitor.ask(bytes(1));
  const closedAt = performance.now();
  door.entry.close();
  await rejects(dial(door.address));
  ok(performance.now() - closedAt < 100);
  deepEqual(await visitor.ask(bytes(2)), bytes(2));
  clock.advance(4_000);
  equal(door.ledger.udp, 0);
  await door.entry.finished;
  const again = await runtime.udp.bind({ host: "127.0.0.1", port: door.address.port });
  again.close();
});
