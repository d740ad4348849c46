/** A hostile client that goes on about a session that is over: its link is closed and no visitor sees a byte of it. */
import { formatAddress } from "../../src/address/ip.ts";
import { writeAll } from "../../src/relay/write_all.ts";
import type { Conn, SocketAddress } from "../../src/runtime/types.ts";
import { connectControl, connectLink } from "../../src/wire/secure/client_connect.ts";
import { encodeConfigMessage } from "../../src/wire/secure/config_message.ts";
import {
  abortCode,
  encodeAbort,
  encodeConfig,
  encodeFin,
  encodePong,
  encodeReady,
  FrameType,
  writeFrameHeader,
} from "../../src/wire/secure/frames.ts";
import { deriveClientIdentity } from "../../src/wire/secure/identity.ts";
import { deriveRoot } from "../../src/wire/secure/root_secret.ts";
import { KEY, serverUrl, startInside } from "../e2e/in_process.ts";
import { until, within } from "../e2e/load.ts";
import { bytesOf, visit } from "../e2e/visitors.ts";
import { deepEqual, equal } from "../harness.ts";
import { type Own, ownedTest, readAll } from "../unit/tunnel/forward_fixture.ts";
import { connectWish } from "../unit/wire/secure/connect_options.ts";

const SECRET = "not yours";

/** One frame that arrived. */
interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** A link whose client end is the test. */
class HostileLink {
  readonly conn: Conn;
  #rest = new Uint8Array(0);

  constructor(conn: Conn) {
    this.conn = conn;
  }

  async send(...frames: Uint8Array[]): Promise<void> {
    for (const frame of frames) await writeAll(this.conn, frame).catch(() => {});
  }

  /** The next frame of this type; others are skipped. */
  async expect(type: number): Promise<Frame> {
    for (;;) {
      const frame = await this.#next();
      if (frame === null) throw new Error(`The link ended before a frame of type ${type}`);
      if (frame.type === type) return frame;
    }
  }

  /** Resolves when the server has closed the link. */
  async closed(): Promise<void> {
    while (await this.#next().catch(() => null) !== null);
  }

  async #next(): Promise<Frame | null> {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const have = this.#rest;
      const length = have.length < 4 ? -1 : (have[1]! << 16) | (have[2]! << 8) | have[3]!;
      if (length >= 0 && have.length >= 4 + length) {
        this.#rest = have.slice(4 + length);
        return { type: have[0]!, payload: have.slice(4, 4 + length) };
      }
      const count = await this.conn.read(buffer);
      if (count === null) return null;
      this.#rest = new Uint8Array([...have, ...buffer.subarray(0, count)]);
    }
  }
}

function data(text: string): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf(text);
  const frame = new Uint8Array(4 + bytes.length);
  writeFrameHeader(frame, 0, FrameType.DATA, bytes.length);
  frame.set(bytes, 4);
  return frame;
}

/** A server of reverse flow and a client that is up to no good. */
async function scene(own: Own) {
  const server = await own(startInside(serverUrl("127.0.0.1:0", "mode=1&tls=0&noudp=1")));
  const root = await deriveRoot(KEY);
  const options = connectWish({ root, identity: await deriveClientIdentity(root) }, server.handle.addr!);
  const { conn, agreement, mode } = await connectControl(options);
  await own({ [Symbol.dispose]: () => conn.close() });
  await writeAll(conn, encodeConfig(encodeConfigMessage({ minLinks: 1, delaysSmallWrites: false, version: "0" })));
  // A client waits for the server's configuration; this one looks whether it is known.
  await until("the client is known", () => server.handle.stats().peers.length === 1);
  let counter = 0;
  return {
    server,
    entry: server.handle.entries[0]!,
    async link(): Promise<HostileLink> {
      const link = await connectLink({ ...options, agreement, mode, kind: "session", counter: counter++ });
      await own({ [Symbol.dispose]: () => link.close() });
      await until("the link is ready", () => server.handle.stats().pool === 1);
      return new HostileLink(link);
    },
  };
}

/** A visitor that says hello; what it was sent until its end. */
async function visitor(
  entry: SocketAddress,
  own: Own,
): Promise<{ address: string; received: Promise<string>; leave(): void }> {
  const conn = await visit(entry);
  await own({ [Symbol.dispose]: () => conn.close() });
  await writeAll(conn, bytesOf("hello"));
  const received = readAll(conn).then((bytes) => new TextDecoder().decode(bytes), () => "");
  return { address: formatAddress(conn.local), received, leave: () => conn.reset() };
}

const ABORT_1 = encodeAbort(1, abortCode("reset"));

const afterAbort: readonly (readonly [string, readonly Uint8Array[]])[] = [
  ["DATA", [data(SECRET)]],
  ["FIN", [encodeFin(1)]],
  ["READY twice", [encodeReady(1), encodeReady(1)]],
  ["FIN behind READY", [encodeReady(1), encodeFin(1)]],
  ["DATA behind READY", [encodeReady(1), data(SECRET)]],
  ["READY of a session to come", [encodeReady(2)]],
];

ownedTest("frames of an aborted session close the link, and its visitor sees nothing of them", async (own) => {
  const { link, entry } = await scene(own);
  for (const [, frames] of afterAbort) {
    const hostile = await link();
    const { received } = await visitor(entry, own);
    await hostile.expect(FrameType.OPEN);
    await hostile.send(ABORT_1, ...frames);
    await within(5_000, "the link to close", hostile.closed());
    equal(await within(5_000, "the visitor's end", received), "");
  }
});

ownedTest("frames of an old session close the link under the next visitor, who sees nothing of them", async (own) => {
  const stale = [
    ["FIN", encodeFin(1)],
    ["ABORT", ABORT_1],
    ["READY", encodeReady(1)],
    ["READY of the session itself", encodeReady(2)],
    ["FIN of a session to come", encodeFin(3)],
  ] as const;
  const { link, entry, server } = await scene(own);
  for (const [name, frame] of stale) {
    const hostile = await link();
    const first = await visitor(entry, own);
    await hostile.expect(FrameType.OPEN);
    await hostile.send(ABORT_1, encodeReady(1));
    equal(await within(5_000, "the first visitor's end", first.received), "");
    await until("the link is ready again", () => server.handle.stats().pool === 1);
    const second = await visitor(entry, own);
    const { payload } = await hostile.expect(FrameType.OPEN);
    equal(new DataView(payload.buffer).getUint32(0), 2);
    await hostile.send(frame, data(SECRET));
    await within(5_000, `the link to close after ${name}`, hostile.closed());
    equal(await within(5_000, "the second visitor's end", second.received), "", name);
  }
});

ownedTest("who claims a session that the visitor left gets it closed, and nobody else its bytes", async (own) => {
  const { link, entry, server } = await scene(own);
  const hostile = await link();
  const first = await visitor(entry, own);
  await hostile.expect(FrameType.OPEN);
  first.leave();
  await hostile.expect(FrameType.DATA);
  // It never says that it heard of the end, and goes on.
  for (let round = 0; round < 20; round++) await hostile.send(data(SECRET), encodePong(0));
  const second = await visitor(entry, own);
  await within(15_000, "the link to close", hostile.closed());
  const isFirst = (session: { visitor: string }): boolean => session.visitor === first.address;
  await until("the first session is over", () => !server.handle.sessions().some(isFirst));
  deepEqual(server.handle.stats().pool, 0);
  await server.handle.close({ graceMs: 0 });
  equal(await within(5_000, "the second visitor's end", second.received), "");
});
