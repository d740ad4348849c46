/** Strangers, and a client that misbehaves, while a server of wire=1.14 serves it. */
import { equal, ok } from "../harness.ts";
import { until } from "../e2e/load.ts";
import { Target } from "../e2e/targets.ts";
import { entryOf, KEY, ourServer } from "../e2e/wire_1_14_inside.ts";
import { exchangeTcpMany } from "../e2e/wire_1_14_load.ts";
import { goClient } from "../peer_1_14/client.ts";
import { requestText } from "../peer_1_14/handshake.ts";
import { connectTo, readExactly } from "../peer_1_14/sockets.ts";
import { address, type Stranger, stranger, within } from "../unit/tunnel/accept/front_door.ts";
import { type Own, ownedTest } from "../unit/tunnel/forward_fixture.ts";

const SETTINGS = { handshakeTimeoutMs: 2_000 };
const MAX = 16;

/** A served client, with its server, and a look at whether visitors still come through. */
async function serving(own: Own, tls: 0 | 1): Promise<{
  server: Awaited<ReturnType<typeof ourServer>>;
  client: Awaited<ReturnType<typeof goClient>>;
  port: number;
  works: () => Promise<void>;
}> {
  const target = await own(Target.listen());
  const server = await own(ourServer({ flow: "reverse", query: `tls=${tls}&max=${MAX}`, settings: SETTINGS }));
  const client = await own(goClient({ key: KEY, server: server.handle.addr!, target: target.address, verifyMs: 20 }));
  const works = async (): Promise<void> => {
    await exchangeTcpMany(entryOf(server), 4, 0);
    equal(client.generations.length, 1, "the client had to come again");
  };
  await works();
  return { server, client, port: server.handle.addr!.port, works };
}

for (const tls of [0, 1] as const) {
  ownedTest(`connections from other addresses get no id (tls=${tls})`, async (own) => {
    const { port, works } = await serving(own, tls);
    const others: Stranger[] = [];
    for (let index = 0; index < 100; index++) {
      const other = await stranger(port, address(index + 10));
      let heard = 0;
      other.socket.on("data", (bytes) => heard += bytes.length);
      other.socket.write(index % 2 === 0 ? requestText(KEY) : "");
      others.push(other);
      void other.closed.then(() => equal(heard, 0, "it was told something"));
    }
    ok(await within(2_000, () => others.every(({ closedAt }) => closedAt !== null)), "some are still open");
    await works();
  });

  ownedTest(`connections of the client's address that do not go on are bounded (tls=${tls})`, async (own) => {
    const { server, port, works } = await serving(own, tls);
    const silent = await Promise.all(Array.from({ length: 200 }, () => stranger(port, "127.0.0.1")));
    await until("nobody more than max waits", () => server.handle.stats().pool <= MAX);
    ok(await within(4_000, () => silent.filter(({ closedAt }) => closedAt === null).length <= MAX), "more are open");
    for (const { socket } of silent) socket.destroy();
    await until("they are gone", () => server.handle.stats().pool <= MAX);
    await works();
  });
}

ownedTest("bytes on links that wait are no session, and are not collected", async (own) => {
  const { server, port, works } = await serving(own, 0);
  const link = await connectTo({ host: "127.0.0.1", port });
  const id = await readExactly(link, 4, 5_000);
  ok(id !== null);
  link.once("end", () => link.destroy());
  const chunk = new Uint8Array(65_536);
  let taken = 0;
  const pour = (): void => {
    while (!link.destroyed && taken < 40_000_000) {
      taken += chunk.length;
      if (!link.write(chunk)) return;
    }
  };
  link.on("drain", pour);
  link.resume();
  pour();
  ok(await within(2_000, () => link.destroyed), "the link is still open");
  ok(taken < 20_000_000, `${taken} bytes were taken on a link without a visitor`);
  link.destroy();
  equal(server.handle.stats().tcpSessions, 0);
  await works();
});

ownedTest("a request of the same address while its client is served ends", async (own) => {
  const { port, works } = await serving(own, 0);
  const prober = await stranger(port, "127.0.0.1");
  prober.socket.write(requestText(KEY));
  // It looks like a link until it speaks; nobody may be left waiting on it.
  ok(await within(3_000, () => prober.closedAt !== null), "it is still open");
  await works();
});
