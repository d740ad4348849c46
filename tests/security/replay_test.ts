/** Recorded handshakes and link openings lead to nothing; a client's id belongs to who holds its secret. */
import { writeAll } from "../../src/relay/write_all.ts";
import type { Conn, SocketAddress } from "../../src/runtime/types.ts";
import { connectControl } from "../../src/wire/secure/client_connect.ts";
import { deriveClientIdentity } from "../../src/wire/secure/identity.ts";
import { deriveRoot } from "../../src/wire/secure/root_secret.ts";
import { clientUrl, type Inside, KEY, serverUrl, startInside } from "../e2e/in_process.ts";
import { until } from "../e2e/load.ts";
import { ask, bytesOf, firstWords, visit } from "../e2e/visitors.ts";
import { deepEqual, equal, notEqual, ok } from "../harness.ts";
import { type Own, ownedTest, readAll, runtime, TcpTarget } from "../unit/tunnel/forward_fixture.ts";
import { connectWish } from "../unit/wire/secure/connect_options.ts";
import { joined, Tap } from "./tap.ts";

const PREFACE_BYTES = 64;

interface Scene {
  readonly server: Inside;
  readonly client: Inside;
  readonly tap: Tap;
  readonly tunnel: SocketAddress;
  readonly entry: SocketAddress;
}

/** A tunnel whose client comes through a tap. */
async function scene(own: Own, tls: 0 | 1): Promise<Scene> {
  const target = await own(TcpTarget.echo());
  const server = await own(startInside(serverUrl("127.0.0.1:0", `mode=1&tls=${tls}&noudp=1&max=3`)));
  const tunnel = server.handle.addr!;
  const tap = await own(Tap.listen(tunnel));
  const { host, port } = target.address;
  const query = `mode=2&min=3&noudp=1${tls === 1 ? "&tls=1" : ""}`;
  const client = await own(startInside(clientUrl(tap.address, `${host}:${port}`, query)));
  await until("links are ready", () => server.handle.stats().pool === 3);
  return { server, client, tap, tunnel, entry: server.handle.entries[0]! };
}

/** Says what was recorded; what came back until the server closed. */
async function replay(tunnel: SocketAddress, bytes: Uint8Array): Promise<Uint8Array> {
  const conn = await runtime.net.connect({ ...tunnel, timeoutMs: 5_000 });
  try {
    await writeAll(conn, bytes).catch(() => {});
    await conn.closeWrite().catch(() => {});
    return await readAll(conn).catch(() => new Uint8Array(0));
  } finally {
    conn.close();
  }
}

for (const tls of [0, 1] as const) {
  ownedTest(`recorded connections are refused when they are replayed (tls=${tls})`, async (own) => {
    const { server, tap, tunnel, entry } = await scene(own, tls);
    equal(await ask(entry, "before"), "before");
    const handshakes = (): number =>
      server.logger.lines.filter(({ message }) => /^Tunnel handshaked/.test(message)).length;
    const before = { peers: server.handle.stats().peers.map(({ id }) => id), handshakes: handshakes() };
    const recordings = [...tap.recordings];
    ok(recordings.length >= 4, "control and links");
    for (const { up } of recordings) {
      const all = joined(up);
      for (const bytes of [all, all.subarray(0, Math.ceil(all.length / 2)), up[0]!]) {
        const answer = await replay(tunnel, bytes);
        ok(!new TextDecoder().decode(answer).includes("before"));
      }
    }
    const stats = server.handle.stats();
    deepEqual({ peers: stats.peers.map(({ id }) => id), handshakes: handshakes() }, before);
    equal(stats.pool, 3, "no replayed link became ready");
    if (tls === 0) {
      const refused = recordings.filter(({ up }) => joined(up).length >= PREFACE_BYTES).length;
      ok((stats.rejections.handshake ?? 0) >= refused, `${stats.rejections.handshake} of ${refused} counted`);
    }
    equal(await ask(entry, "after"), "after");
  });
}

ownedTest(
  "a recorded link preface is refused also while its counter is young and in the order of its time",
  async (own) => {
    const { server, tap, tunnel } = await scene(own, 0);
    const prefaces = tap.recordings.map(({ up }) => joined(up).slice(0, PREFACE_BYTES)).filter((bytes) =>
      bytes[5] === 2
    );
    equal(prefaces.length, 3);
    for (let round = 0; round < 3; round++) {
      for (const preface of prefaces) equal((await replay(tunnel, preface)).length, 0);
    }
    equal(server.handle.stats().rejections.handshake, 9);
    // Neither another client's id nor another kind of link makes an old MAC good.
    const other = prefaces[0]!.slice();
    other[5] = 3;
    await replay(tunnel, other);
    other[5] = 2;
    other[31] = 200;
    await replay(tunnel, other);
    deepEqual([server.handle.stats().rejections.handshake, server.handle.stats().pool], [11, 3]);
  },
);

ownedTest(
  "who resumes another client's id without its secret gets a new id, and the other's sessions live on",
  async (own) => {
    const { server, client, tunnel, entry } = await scene(own, 0);
    const visitor = await own(closing(await visit(entry)));
    await writeAll(visitor.conn, bytesOf("one"));
    equal(await firstWords(visitor.conn), "one");
    const [victim] = server.handle.stats().peers;
    equal(victim!.id, client.handle.stats().peers[0]!.id);
    const root = await deriveRoot(KEY);
    const forged = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
    ]) as CryptoKey;
    const keys = { root, identity: await deriveClientIdentity(root) };
    const resume = { clientId: victim!.id, resumeSecret: forged };
    const { conn, agreement } = await connectControl(connectWish(keys, tunnel, { resume }));
    await own(closing(conn));
    equal(agreement.resumed, false);
    notEqual(agreement.clientId, victim!.id);
    await until("both are clients", () => server.handle.stats().peers.length === 2);
    await writeAll(visitor.conn, bytesOf("two"));
    equal(await firstWords(visitor.conn), "two");
    const still = server.handle.stats().peers.find(({ id }) => id === victim!.id)!;
    deepEqual([still.sessions, still.address], [1, victim!.address]);
    equal(await ask(entry, "three"), "three");
  },
);

function closing(conn: Conn): Disposable & { readonly conn: Conn } {
  return { conn, [Symbol.dispose]: () => conn.close() };
}
