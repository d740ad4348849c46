/** Servers that misbehave towards our client of wire=1.14. */
import type net from "node:net";
import { equal, ok } from "../harness.ts";
import { until } from "../e2e/load.ts";
import { Target } from "../e2e/targets.ts";
import { KEY, ourClient } from "../e2e/wire_1_14_inside.ts";
import { lineOf } from "../peer_1_14/dialect.ts";
import { acceptanceText } from "../peer_1_14/handshake.ts";
import { listenOn } from "../peer_1_14/sockets.ts";
import { within } from "../unit/tunnel/accept/front_door.ts";
import { type Own, ownedTest } from "../unit/tunnel/forward_fixture.ts";

const TERMS = { flow: "-", max: 1_024, tls: "0", type: "0" } as const;
const CONTROL = Uint8Array.of(0, 0, 0, 0);

/** A port that answers every request and leaves the links to the test. */
interface Trap {
  readonly host: string;
  readonly port: number;
  handshakes: number;
  /** Links so far, closed ones included. */
  readonly links: net.Socket[];
  readonly open: Set<net.Socket>;
}

async function trap(
  own: Own,
  link: (socket: net.Socket, number: number) => void,
  terms: object = TERMS,
): Promise<Trap> {
  const open = new Set<net.Socket>();
  const links: net.Socket[] = [];
  let serving = false;
  const listener = await listenOn("127.0.0.1", 0, (socket) => {
    open.add(socket);
    socket.once("end", () => socket.destroy());
    socket.once("close", () => open.delete(socket));
    if (!serving) {
      socket.once("data", () => {
        set.handshakes++;
        serving = true;
        socket.end(acceptanceText({ ...TERMS, ...terms }));
      });
      return;
    }
    const number = links.push(socket) - 1;
    // A client that lets go of its links asks anew.
    socket.once("close", () => serving = [...open].some((other) => links.includes(other)));
    socket.resume();
    link(socket, number);
  });
  const set = { host: listener.host, port: listener.port, handshakes: 0, links, open };
  await own({
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await listener.close();
    },
  });
  return set;
}

ownedTest("ids that come twice are one link", async (own) => {
  const target = await own(Target.listen());
  const port = await trap(
    own,
    (socket, number) => socket.write(number < 1 ? CONTROL : Uint8Array.of(0, 0, 0, 1 + number % 2)),
  );
  const client = await own(ourClient(port, { flow: "reverse", target: target.address, query: "min=6" }));
  await until("the control connection is there", () => client.handle.stats().peers.length === 1);
  await within(1_000, () => client.handle.stats().pool > 2);
  ok(client.handle.stats().pool <= 2, `${client.handle.stats().pool} links of 2 ids`);
  // What cannot be used is not opened again and again.
  ok(port.links.length < 200, `${port.links.length} links were opened in a second`);
  equal(port.handshakes, 1);
});

ownedTest("a second control connection does not take the place of the first", async (own) => {
  const target = await own(Target.listen());
  const port = await trap(own, (socket, number) => {
    socket.write(number < 2 ? CONTROL : Uint8Array.of(0, 0, 1, number));
    if (number === 1) socket.write(lineOf({ action: "flush" }, KEY));
  });
  const client = await own(ourClient(port, { flow: "reverse", target: target.address }));
  await until("links are ready", () => client.handle.stats().pool > 0);
  await until(
    "the second one is closed",
    () => port.links[1]?.destroyed === true || port.links[1]?.readableEnded === true,
  );
  equal(port.handshakes, 1);
  equal(client.handle.stats().peers.length, 1);
});

ownedTest("links that never get an id are few, and given up", async (own) => {
  const target = await own(Target.listen());
  const port = await trap(own, (socket, number) => void (number === 0 && socket.write(CONTROL)));
  const settings = { handshakeTimeoutMs: 700 };
  const client = await own(ourClient(port, { flow: "reverse", target: target.address, query: "min=8", settings }));
  await within(2_500, () => false);
  ok(port.links.length < 80, `${port.links.length} links were opened`);
  ok(port.open.size <= 33, `${port.open.size} links are open`);
  equal(client.handle.stats().pool, 0);
  await client.handle.close({ graceMs: 0 });
  ok(await within(1_000, () => port.open.size === 0), `${port.open.size} links stayed open`);
});

ownedTest("a server that closes each link at once is not called without a pause", async (own) => {
  const target = await own(Target.listen());
  const port = await trap(own, (socket, number) => number === 0 ? socket.write(CONTROL) : socket.destroy());
  await own(ourClient(port, { flow: "reverse", target: target.address, query: "min=16" }));
  await within(2_000, () => false);
  ok(port.links.length < 400, `${port.links.length} links in two seconds`);
});

ownedTest("a server that never opens the control connection is asked again", async (own) => {
  const target = await own(Target.listen());
  const port = await trap(own, (socket, number) => socket.write(Uint8Array.of(0, 1, number >> 8, number)));
  const settings = { handshakeTimeoutMs: 700 };
  const client = await own(ourClient(port, { flow: "reverse", target: target.address, settings }));
  const errors = (): string[] =>
    client.logger.lines.filter(({ level }) => level === "error").map(({ message }) => message);
  await until("it says so", () => errors().length > 0);
  ok(errors().every((message) => /^Client error: .*control connection/.test(message)), errors().join("\n"));
});

ownedTest("a server that allows any number of links gets as many as were asked for", async (own) => {
  const target = await own(Target.listen());
  const id = (number: number): Uint8Array => Uint8Array.of(number === 0 ? 0 : 1, 0, number >> 8, number);
  const port = await trap(own, (socket, number) => socket.write(id(number)), { max: 2_000_000_000 });
  const client = await own(ourClient(port, { flow: "reverse", target: target.address, query: "min=6" }));
  await until("links are ready", () => client.handle.stats().pool >= 6);
  await within(700, () => false);
  ok(port.open.size <= 40, `${port.open.size} links`);
});

ownedTest("what a server sends on a link without a visitor is not collected", async (own) => {
  const target = await own(Target.listen());
  let taken = 0;
  const port = await trap(own, (socket, number) => {
    socket.write(number === 0 ? CONTROL : Uint8Array.of(0, 0, 2, number));
    if (number !== 1) return;
    const chunk = new Uint8Array(65_536);
    const pour = (): void => {
      while (!socket.destroyed && taken < 40_000_000) {
        taken += chunk.length;
        if (!socket.write(chunk)) return;
      }
    };
    socket.on("drain", pour);
    pour();
  });
  const client = await own(ourClient(port, { flow: "reverse", target: target.address }));
  await until("links are ready", () => client.handle.stats().pool > 0);
  await within(1_000, () => false);
  ok(taken < 20_000_000, `${taken} bytes were taken`);
  equal(client.handle.stats().tcpSessions, 0);
});
