import type { DatagramReceiver, Opening } from "../../../../src/wire/types.ts";
import { createContext } from "../../../../src/tunnel/create_context.ts";
import { DatagramLinks } from "../../../../src/tunnel/nodepass_1_14/waiting_datagrams.ts";
import { Matchmaker } from "../../../../src/tunnel/pool/matchmaker.ts";
import type { RawLink } from "../../../../src/wire/nodepass_1_14/raw_link.ts";
import { deepEqual, equal, ok, test } from "../../../harness.ts";
import type { MemoryConn } from "../../../memory_conn.ts";
import { forwardConfig, LinesLogger, runtime } from "../forward_fixture.ts";
import { LinksSide, settle } from "./raw_links_fixture.ts";

const OPENING: Opening = { protocol: "udp", visitor: { host: "192.0.2.1", port: 7 } };
const WAIT_MS = 5_000;

test("DatagramLinks announces a visitor at once when a link waits", async () => {
  const scene = new Scene();
  const other = scene.addLink("00000001");
  const wire = scene.datagrams.open(OPENING, scene.receiver);
  deepEqual(scene.side.signals, [{ action: "udp", remote: "192.0.2.1:7", id: "00000001" }]);
  wire.send(Uint8Array.of(1, 2));
  await settle();
  deepEqual(await sent(other), [[1, 2]]);
  wire.close();
  equal(scene.side.links.total, 0);
});

test("DatagramLinks keeps the first datagrams until a link comes", async () => {
  const scene = new Scene();
  const wire = scene.datagrams.open(OPENING, scene.receiver);
  wire.send(Uint8Array.of(1));
  wire.send(Uint8Array.of(2));
  const other = scene.addLink("00000001");
  await settle();
  wire.send(Uint8Array.of(3));
  await settle();
  deepEqual((await sent(other)).flat(), [1, 2, 3]);
  equal(scene.closed, 0);
});

test("DatagramLinks keeps 64 datagrams and 256 KiB of a visitor, and 16 MiB in all", async () => {
  const many = new Scene();
  const wire = many.datagrams.open(OPENING, many.receiver);
  for (let count = 0; count < 70; count++) wire.send(Uint8Array.of(count));
  equal(many.overflows, 6);
  const other = many.addLink("00000001");
  await settle();
  deepEqual((await sent(other)).flat(), Array.from({ length: 64 }, (_, count) => count));

  const large = new Scene();
  const visitors = Array.from({ length: 80 }, () => large.datagrams.open(OPENING, large.receiver));
  for (const visitor of visitors) for (let count = 0; count < 5; count++) visitor.send(new Uint8Array(60_000));
  // Four of the five fit into a visitor's room, and 279 of all into the room of all.
  equal(large.overflows, 80 * 5 - Math.floor(16 * 1024 * 1024 / 60_000));
  for (const visitor of visitors) visitor.close();
  const again = large.datagrams.open(OPENING, large.receiver);
  again.send(new Uint8Array(60_000));
  equal(large.overflows, 80 * 5 - Math.floor(16 * 1024 * 1024 / 60_000));
});

test("DatagramLinks gives a visitor up when no link comes in time", async () => {
  const scene = new Scene();
  const wire = scene.datagrams.open(OPENING, scene.receiver);
  wire.send(Uint8Array.of(1));
  scene.side.clock.advance(WAIT_MS);
  await settle();
  equal(scene.closed, 1);
  equal(scene.context.ledger.rejections.no_link, 1);
  wire.send(Uint8Array.of(2));
});

test("DatagramLinks gives a link back that comes for a visitor who has gone", async () => {
  const scene = new Scene();
  scene.datagrams.open(OPENING, scene.receiver).close();
  scene.addLink("00000001");
  await settle();
  equal(scene.side.links.ready, 1);
  deepEqual(scene.side.signals, []);
  equal(scene.closed, 0);
});

test("DatagramLinks hands on what the other end sends, and its end", async () => {
  const scene = new Scene();
  const other = scene.addLink("00000001");
  scene.datagrams.open(OPENING, scene.receiver);
  await other.write(Uint8Array.of(9, 9));
  await settle();
  deepEqual(scene.received, [[9, 9]]);
  other.close();
  await settle();
  equal(scene.closed, 1);
  ok(scene.side.links.total === 0);
});

class Scene {
  readonly side = new LinksSide();
  readonly context =
    createContext(forwardConfig([]), { ...runtime, clock: this.side.clock }, new LinesLogger()).context;
  readonly matchmaker = new Matchmaker<RawLink>(this.side.clock, WAIT_MS, () => {});
  readonly datagrams = new DatagramLinks(this.context, this.matchmaker);
  readonly received: number[][] = [];
  closed = 0;
  readonly receiver: DatagramReceiver = {
    data: (bytes) => void this.received.push([...bytes]),
    closed: () => this.closed++,
  };

  constructor() {
    this.matchmaker.add(this.side.links);
  }

  get overflows(): number {
    return this.context.ledger.rejections.overflow ?? 0;
  }

  addLink(id: string): MemoryConn {
    const other = this.side.add(id);
    this.matchmaker.offer();
    return other;
  }
}

/** What came at this end so far. */
async function sent(other: MemoryConn): Promise<number[][]> {
  const parts: number[][] = [];
  void (async () => {
    const buffer = new Uint8Array(65_536);
    for (let count = await other.read(buffer); count !== null; count = await other.read(buffer)) {
      parts.push([...buffer.subarray(0, count)]);
    }
  })().catch(() => {});
  for (let turn = 0; turn < 10; turn++) await settle();
  return parts;
}
