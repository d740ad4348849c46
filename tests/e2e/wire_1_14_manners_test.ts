/** What Go ends do now and then, and ours must bear: order, timing, noise, probes, losses. */
import type net from "node:net";
import type { Settings } from "../../src/config/types.ts";
import { createAuthority } from "../conformance/runtime_certificates.ts";
import { deepEqual, equal, ok } from "../harness.ts";
import { goClient } from "../peer_1_14/client.ts";
import { lineOf, signalOf } from "../peer_1_14/dialect.ts";
import type { PeerManner } from "../peer_1_14/generation.ts";
import { requestText } from "../peer_1_14/handshake.ts";
import { goServer } from "../peer_1_14/server.ts";
import { connectTo, readToEnd } from "../peer_1_14/sockets.ts";
import { ownedTest, runtime } from "../unit/tunnel/forward_fixture.ts";
import { until } from "./load.ts";
import { Target } from "./targets.ts";
import { besideClient, besideServer, entryIn, hasNoFaults } from "./wire_1_14_beside.ts";
import { entryOf, KEY, linesAt, ourClient, ourServer } from "./wire_1_14_inside.ts";
import { exchangeTcpMany, exchangeUdp } from "./wire_1_14_load.ts";

type Flow = "reverse" | "forward";
const FLOWS: readonly Flow[] = ["reverse", "forward"];
const FAST: Partial<Settings> = { reportIntervalMs: 200 };
const NOISE = `\n!!!\n${lineOf({ action: "dance" }, KEY)}${lineOf({ action: "tcp" }, KEY)}${
  lineOf({ action: "ping" }, "other")
}`;

const MANNERS: Readonly<Record<string, PeerManner>> = {
  "the first bytes come before the signal": { bytesFirst: true },
  "several signals come in one read": { gatherMs: 40 },
  "lines mean nothing": { noise: NOISE },
};

for (const [name, manner] of Object.entries(MANNERS)) {
  // The peer announces visitors as a server in reverse flow and as a client in forward flow.
  ownedTest(`beside a server: ${name}`, async (own) => {
    const { peer } = await besideServer(own, "reverse", manner);
    await exchangeTcpMany(peer.entry, 30, 1_000_000);
    await exchangeUdp(peer.entry);
    hasNoFaults(await peer.generation(0));
  });
  ownedTest(`beside a client: ${name}`, async (own) => {
    const { peer } = await besideClient(own, "forward", manner);
    await exchangeTcpMany(peer.entry, 30, 1_000_000);
    await exchangeUdp(peer.entry);
    hasNoFaults(await peer.generation(0));
  });
}

for (const flow of FLOWS) {
  ownedTest(`a server names another link than the first as control connection (${flow})`, async (own) => {
    const { peer, entry } = await besideServer(own, flow, { controlAt: 2 });
    await until("there is an entry", () => flow === "reverse" || peer.generations.length > 0);
    await exchangeTcpMany(await entryIn(entry), 10, 0);
    hasNoFaults(await peer.generation(0));
  });

  ownedTest(`a server writes ids late, after the signal of the link (${flow})`, async (own) => {
    const { peer, entry } = await besideServer(own, flow, { idMs: 60 });
    await exchangeTcpMany(await entryIn(entry), 20, 0);
    await exchangeUdp(await entryIn(entry));
    hasNoFaults(await peer.generation(0));
  });

  ownedTest(`a client opens missing links slowly (${flow})`, async (own) => {
    const { peer, entry } = await besideClient(own, flow, { growMs: 600, min: 3 });
    await exchangeTcpMany(await entryIn(entry), 5, 0);
    hasNoFaults(await peer.generation(0));
  });

  ownedTest(`a server that takes two links closes the others (${flow})`, async (own) => {
    const { peer, entry } = await besideServer(own, flow, { max: 2 });
    await exchangeTcpMany(await entryIn(entry), 10, 0);
    const { links } = await peer.generation(0);
    ok(links.size <= 2, `${links.size} links`);
    ok(peer.surplus <= 50, `${peer.surplus} links were opened beyond what the server takes`);
  });

  ownedTest(`our server closes what exceeds max (${flow})`, async (own) => {
    const { peer, server, entry } = await besideClient(own, flow, { min: 12 }, {}, "tls=0&max=4");
    await exchangeTcpMany(await entryIn(entry), 10, 0);
    ok(server.handle.stats().pool <= 4, `${server.handle.stats().pool} links`);
    equal(peer.terms?.max, 4);
  });

  ownedTest(`both ends drop their idle links when told so (${flow})`, async (own) => {
    for (const role of ["server", "client"] as const) {
      const { peer, entry } = role === "server" ? await besideServer(own, flow) : await besideClient(own, flow);
      const at = await entryIn(entry);
      await exchangeTcpMany(at, 3, 0);
      const generation = await peer.generation(0);
      generation.flush();
      await exchangeTcpMany(at, 5, 0);
      hasNoFaults(generation);
    }
  });

  ownedTest(`pings go both ways (${flow})`, async (own) => {
    const pulse = { pingMs: 100 };
    await Promise.all((["server", "client"] as const).map(async (role) => {
      const { peer } = role === "server"
        ? await besideServer(own, flow, { pulse }, FAST)
        : await besideClient(own, flow, { pulse }, FAST);
      const { control } = await peer.generation(0);
      const count = (action: string): number => control.received.filter((signal) => signal.action === action).length;
      await until("pings and pongs came", () => count("ping") > 3 && count("pong") > 3);
      ok(count("pong") <= count("ping") * 4 + 4);
    }));
  });

  ownedTest(`a server shows its fingerprint late, and a false one (${flow}, tls=1)`, async (own) => {
    const authority = await createAuthority("Authority of the peer");
    const certificate = await authority.issue(["tunnel.test"]);
    const server = { tls: 1 as const, certificate };
    const late = await besideServer(own, flow, { ...server, verifyMs: 800 });
    const started = performance.now();
    await exchangeTcpMany(await entryIn(late.entry), 5, 0);
    if (flow === "reverse") ok(performance.now() - started > 500, "visitors were served before the fingerprint came");
    hasNoFaults(await late.peer.generation(0));
    if (flow === "forward") return;
    const falseFingerprint = `sha256:${Array(32).fill("AB").join(":")}`;
    const lying = await besideServer(own, flow, { ...server, verifyMs: 20, falseFingerprint });
    await lying.peer.generation(1);
    await until("it is said", () => linesAt(lying.client, "error", "warn").some((line) => /certificate/.test(line)));
  });
}

for (const tls of [0, 1] as const) {
  ownedTest(`handshakes on port 443 run inside TLS (tls=${tls})`, async (own) => {
    const free = await runtime.net.listen({ host: "127.0.0.1", port: 443 }).then((listener) => {
      listener.close();
      return true;
    }, () => false);
    // Needs the right to that port, and nobody there.
    if (!free) return;
    const target = await own(Target.listen());
    const certificate = await (await createAuthority("Authority of the peer")).issue(["tunnel.test"]);
    const common = { key: KEY, target: target.address, https: true };
    const peer = await goServer({ ...common, flow: "reverse", tls, certificate, port: 443, verifyMs: 20 });
    const client = await ourClient(peer.address, { flow: "reverse", target: target.address });
    await exchangeTcpMany(peer.entry, 3, 0);
    await client[Symbol.asyncDispose]();
    await peer[Symbol.asyncDispose]();

    const server = await own(ourServer({ flow: "reverse", query: `tls=${tls}`, port: 443 }));
    await own(goClient({ ...common, server: server.handle.addr!, verifyMs: 20 }));
    await exchangeTcpMany(entryOf(server), 3, 0);
  });
}

ownedTest("visitors with an IPv6 zone, and from everywhere, are served", async (own) => {
  const target = await own(Target.listen());
  const peer = await own(goServer({ key: KEY, flow: "reverse" }));
  await own(ourClient(peer.address, { flow: "reverse", target: target.address }));
  const { control, links } = await peer.generation(0);
  for (const remote of ["[fe80::1%eth0]:5353", "[2001:db8::7]:1", "[::ffff:192.0.2.1]:65535"]) {
    const link = await links.take(null);
    control.send({ action: "tcp", remote, id: link!.id });
    link!.socket.write("hello");
    link!.socket.end();
    equal(await readToEnd(link!.socket, 5_000), "hello", remote);
  }
});

ownedTest("probes and wrong tokens before the right one do no harm", async (own) => {
  const statuses: number[] = [];
  const silent: net.Socket[] = [];
  const ask = async (server: { host: string; port: number }, request: string): Promise<void> => {
    const socket = await connectTo(server);
    socket.write(request);
    statuses.push(Number((await readToEnd(socket, 5_000)).slice(9, 12)));
    socket.destroy();
  };
  const right = requestText(KEY);
  const before = async (server: { host: string; port: number }): Promise<void> => {
    await ask(server, requestText("another key"));
    await ask(server, right.replace("GET / ", "GET /favicon.ico "));
    await ask(server, right.replace("GET ", "POST "));
    await ask(server, right.replace(/Authorization: .*\r\n/, ""));
    await ask(server, "nonsense\r\n\r\n");
    silent.push(await connectTo(server));
    const cut = await connectTo(server);
    cut.end("GET / HTT");
    for (let count = 0; count < 12; count++) await ask(server, requestText(`key ${count}`));
  };
  const { peer, server } = await besideClient(own, "reverse", { before });
  deepEqual(statuses.slice(0, 5), [401, 404, 405, 401, 400]);
  ok(statuses.slice(5).every((status) => status === 401), statuses.join(" "));
  await exchangeTcpMany(entryOf(server), 5, 0);
  hasNoFaults(await peer.generation(0));
  for (const socket of silent) socket.destroy();
});

ownedTest("our end names visitors and links as the Go program does", async (own) => {
  const { peer, entry } = await besideClient(own, "reverse");
  await exchangeTcpMany(entry(), 1, 0);
  const { control } = await peer.generation(0);
  const signal = await control.signal(({ action }) => action === "tcp");
  deepEqual(Object.keys(signal), ["action", "remote", "id"]);
  equal(lineOf(signal, KEY), lineOf(signalOf(lineOf(signal, KEY).trim(), KEY), KEY));
});
