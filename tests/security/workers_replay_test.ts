/** Workers share a tunnel port: what one of them has seen is known to the others. */
import { writeAll } from "../../src/relay/write_all.ts";
import { counterMemory, SharedCounterWindow } from "../../src/wire/secure/shared_counter_window.ts";
import { COUNTER_WINDOW } from "../../src/wire/secure/counter_window.ts";
import { clientUrl, serverUrl, startInside } from "../e2e/in_process.ts";
import { until } from "../e2e/load.ts";
import { ask } from "../e2e/visitors.ts";
import { equal, test } from "../harness.ts";
import { ownedTest, readAll, runtime, TcpTarget } from "../unit/tunnel/forward_fixture.ts";
import { joined, Tap } from "./tap.ts";

const PREFACE_BYTES = 64;
/** So many connections do not all land on the worker that took the first one. */
const TRIES = 10;

ownedTest("the preface of a link is taken once, whichever worker it arrives at", async (own) => {
  const target = await own(TcpTarget.echo());
  const server = await own(startInside(serverUrl("127.0.0.1:0", "mode=1&tls=0&noudp=1"), { workers: 2 }));
  const tap = await own(Tap.listen(server.handle.addr!));
  const { host, port } = target.address;
  await own(startInside(clientUrl(tap.address, `${host}:${port}`, "mode=2&min=4&noudp=1")));
  await until("links are ready", () => server.handle.stats().pool >= 4);
  equal(await ask(server.handle.entries[0]!, "before"), "before");
  const recorded = tap.recordings.map(({ up }) => joined(up)).filter(({ length }) => length >= PREFACE_BYTES);
  const preface = recorded.find((bytes) => bytes[5] === 2)!.subarray(0, PREFACE_BYTES);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const conn = await runtime.net.connect({ ...server.handle.addr!, timeoutMs: 5_000 });
    await writeAll(conn, preface).catch(() => {});
    equal((await readAll(conn).catch(() => new Uint8Array())).length, 0);
    conn.close();
  }
  await until("each is counted", () => (server.handle.stats().rejections.handshake ?? 0) === TRIES);
  equal(await ask(server.handle.entries[0]!, "after"), "after");
});

test("SharedCounterWindow takes each counter once over all that share its memory", () => {
  const memory = counterMemory();
  const [one, other] = [new SharedCounterWindow(memory), new SharedCounterWindow(memory)];
  for (let counter = 0; counter < 3 * COUNTER_WINDOW; counter += 7) {
    equal(one.accept(counter) !== other.accept(counter), true);
    equal(one.accept(counter) || other.accept(counter), false);
  }
  equal(other.accept(5), false, "what left the window is refused");
  for (const value of [-1, 0.5, NaN, Infinity, 2 ** 53]) equal(one.accept(value), false);
});
