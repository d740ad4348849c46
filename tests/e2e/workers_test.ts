/** Tunnels that two threads serve: every byte as with one, spread over both, shown as one. */
import { writeAll } from "../../src/relay/write_all.ts";
import type { SocketAddress } from "../../src/runtime/types.ts";
import type { SessionInfo, TunnelStats } from "../../src/tunnel/types.ts";
import { equal, ok } from "../harness.ts";
import { type Own, ownedTest, runtime, UdpVisitor } from "../unit/tunnel/forward_fixture.ts";
import { startInside, startInsidePair } from "./in_process.ts";
import { askUdp, echoTcpMany, echoUdp, until } from "./load.ts";
import { Target } from "./targets.ts";
import { ask, visit } from "./visitors.ts";
import { byWorker } from "./workers_fixture.ts";

const VISITS = 200;
const BYTES = 20_000_000;
/** What the visits make of that at least. */
const SENT = 14_000_000;

for (const flow of ["reverse", "forward"] as const) {
  for (const tls of [0, 1] as const) {
    ownedTest(`two workers at each end carry everything unchanged (${flow}, tls=${tls})`, async (own) => {
      const target = await own(Target.listen());
      const pair = await own(startInsidePair({
        flow,
        targets: [target.address],
        serverQuery: `tls=${tls}`,
        settings: { workers: 2 },
      }));
      await echoTcpMany(pair.entry, VISITS, BYTES);
      await echoUdp(pair.entry);
      const [server, client] = [pair.server.handle, pair.client.handle];
      await until("sessions are over", () => server.stats().tcpSessions + client.stats().tcpSessions === 0);
      equal(server.stats().peers.length, 2, "each worker of the client is a client");
      for (const stats of [server.stats(), client.stats()]) sums(stats);
    });
  }
}

function sums({ tcpRx, tcpTx, udpRx, udpTx }: TunnelStats): void {
  ok(tcpRx >= SENT, `${tcpRx} bytes received`);
  equal(tcpTx, tcpRx);
  ok(udpRx >= 75_708, `${udpRx} bytes received in datagrams`);
  ok(udpTx >= 75_708, `${udpTx} bytes sent in datagrams`);
}

ownedTest("two workers forward visitors directly, and share them", async (own) => {
  const target = await own(Target.listen());
  const { host, port } = target.address;
  const inside = await own(startInside(`client://127.0.0.1:0/${host}:${port}?mode=1`, { workers: 2 }));
  const entry = inside.handle.addr!;
  await echoTcpMany(entry, VISITS, BYTES);
  await echoUdp(entry);
  sums(inside.handle.stats());
  const { tcp, udp } = await spread(own, entry, () => inside.handle.sessions());
  equal(tcp, 2, "TCP visitors are at both");
  equal(udp, runtime.udp.sharesPorts ? 2 : 1, "UDP visitors are at both where the runtime can share the port");
  const lines = inside.logger.lines.filter(({ message }) => message === "Forwarding visitors");
  equal(lines.length, 1, "what is true of all is said once");
  ok(inside.logger.lines.some(({ message }) => /^CHECK_POINT\|MODE=1\|/.test(message)));
});

for (const flow of ["reverse", "forward"] as const) {
  ownedTest(`visitors of a server with workers are spread over them (${flow})`, async (own) => {
    const target = await own(Target.listen());
    const pair = await own(startInsidePair({ flow, targets: [target.address], settings: { workers: 2 } }));
    for (const { handle } of [pair.server, pair.client]) {
      const { tcp } = await spread(own, pair.entry, () => handle.sessions());
      equal(tcp, 2);
    }
  });
}

/** Holds 40 visitors of each protocol; how many workers have some of them. */
async function spread(
  own: Own,
  entry: SocketAddress,
  sessions: () => readonly SessionInfo[],
): Promise<{ readonly tcp: number; readonly udp: number }> {
  const held = [];
  for (let visitor = 0; visitor < 40; visitor++) {
    const conn = await visit(entry);
    held.push(conn);
    await writeAll(conn, new Uint8Array([1]));
    await conn.read(new Uint8Array(1));
    const datagrams = await own(UdpVisitor.bind(entry));
    await askUdp(datagrams, new Uint8Array([2]));
  }
  const live = sessions();
  for (const conn of held) conn.close();
  return {
    tcp: byWorker(live.filter(({ protocol }) => protocol === "tcp")).size,
    udp: byWorker(live.filter(({ protocol }) => protocol === "udp")).size,
  };
}

ownedTest("one session of any worker can be ended", async (own) => {
  const target = await own(Target.listen());
  const { host, port } = target.address;
  const inside = await own(startInside(`client://127.0.0.1:0/${host}:${port}?mode=1`, { workers: 2 }));
  const conns = await Promise.all(Array.from({ length: 12 }, () => visit(inside.handle.addr!)));
  await until("all are there", () => inside.handle.sessions().length === 12);
  const [first, last] = [inside.handle.sessions()[0]!, inside.handle.sessions().at(-1)!];
  ok(inside.handle.endSession(first.id) && inside.handle.endSession(last.id));
  ok(!inside.handle.endSession("1-999") && !inside.handle.endSession("nonsense"));
  await until("two are gone", () => inside.handle.stats().tcpSessions === 10);
  equal(await ask(inside.handle.addr!, "still"), "still");
  for (const conn of conns) conn.close();
});
